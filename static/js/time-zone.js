// Tell the server which time zone the reader lives in; the next page tells times in it.

const YEAR = 365 * 24 * 60 * 60;
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const known = document.cookie.split("; ").find((cookie) => cookie.startsWith("time_zone="));

if (zone && known !== `time_zone=${zone}`) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `time_zone=${zone}; Path=/; SameSite=Lax; Max-Age=${YEAR}${secure}`;
}
