// Reports the browser's time zone in a cookie; from the next page on, times are shown in it.

const YEAR = 365 * 24 * 60 * 60;
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const known = document.cookie.split("; ").find((cookie) => cookie.startsWith("time_zone="));

if (zone && known !== `time_zone=${zone}`) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `time_zone=${zone}; Path=/; SameSite=Lax; Max-Age=${YEAR}${secure}`;
}
