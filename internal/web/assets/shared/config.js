// What the page says of the shop; the server writes it into <html data-…>.
const data = document.documentElement.dataset;

export const shop = data.shop;
export const logo = data.logo;
export const identity = data.identity === "true";
export const payments = data.payments === "true";
export const signIn = data.signIn;
export const currency = data.currency;
export const decimals = Number(data.decimals);
export const { assets } = data; // the folder of what the control room loads later
