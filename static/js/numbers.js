// Numbers in the language of the page. The digits are 0 to 9 in every language, as in what the server writes.

export const inWords = (number, decimals = 0) =>
  new Intl.NumberFormat(document.documentElement.lang, {
    numberingSystem: "latn",
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  }).format(number);
