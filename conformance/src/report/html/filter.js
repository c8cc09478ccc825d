(() => {
  const box = document.getElementById("filter");
  box.disabled = false;
  box.addEventListener("input", () => {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of document.querySelectorAll(".row")) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
    }
    for (const fold of document.querySelectorAll("main > section > details")) {
      fold.open = words.length > 0 && fold.querySelector(".row:not([hidden])") !== null;
      fold.hidden = words.length > 0 && !fold.open;
    }
  });
})();
