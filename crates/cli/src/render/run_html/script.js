const field = document.querySelector("#find"), told = document.querySelector("#found");
const cards = [...document.querySelectorAll("article")].map((card) => [card, card.textContent.toLowerCase()]);
const find = () => {
  const words = field.value.toLowerCase().split(/\s+/);
  for (const [card, text] of cards) card.hidden = !words.every((word) => text.includes(word));
  const shown = cards.filter(([card]) => card.checkVisibility()).length;
  told.textContent = field.value.trim() ? `${shown} shown` : "";
};
document.querySelector("search").hidden = false;
field.addEventListener("input", find);
document.querySelector("fieldset").addEventListener("change", find);
find();
