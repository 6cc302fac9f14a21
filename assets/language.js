/* The switch of the language: the choice is kept in a cookie, which the server reads, and the page is drawn anew. */
document.addEventListener("click", (event) => {
  const chosen = event.target.closest?.("[data-language]")?.dataset.language;
  if (!chosen) return;
  document.cookie = `${window.gprCookie}=${chosen}; path=/; max-age=31536000; SameSite=Lax`;
  location.reload();
});
