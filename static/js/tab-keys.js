// The keys of tabs (WAI-ARIA tabs pattern). The arrows follow the direction of the page.

export function placeAfter(event, at, count) {
  const isMirrored = getComputedStyle(event.target).direction === "rtl";
  const [next, previous] = isMirrored ? ["ArrowLeft", "ArrowRight"] : ["ArrowRight", "ArrowLeft"];
  const place = { [next]: at + 1, [previous]: at - 1, Home: 0, End: count - 1 }[event.key];
  return place === undefined ? undefined : (place + count) % count;
}
