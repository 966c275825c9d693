// Says in words when the page cannot start: the browser is too old, or a script did not come or failed. A classic
// script in the syntax of 2009, loaded before everything else, as it must run where nothing else does. A page that
// has started is none of its business.
(function () {
  "use strict";
  var root = document.documentElement;

  // The page's texts in its language; they come before the body.
  function t(key) {
    var block = document.getElementById("messages");
    return (block && window.JSON && JSON.parse(block.textContent || block.text)["start." + key]) || "";
  }

  function tell(heading, detail) {
    var app = document.getElementById("app");
    if (!app) return; // the body is still to come; told again then
    var before = document.getElementById("trouble");
    if (before) before.parentNode.removeChild(before);
    var drops = app.querySelector(".price"); // the server sent some, and they stay
    while (!drops && app.firstChild) app.removeChild(app.firstChild);
    var box = document.createElement(drops ? "div" : "main");
    box.className = drops ? "banner" : "empty";
    box.id = drops ? "trouble" : "main";
    add(box, drops ? "p" : "h1", t(heading));
    add(box, "p", t(heading + "_hint"));
    if (detail) add(box, "p", detail);
    app.insertBefore(box, app.firstChild);
  }

  function add(box, kind, text) {
    var line = document.createElement(kind);
    line.appendChild(document.createTextNode(text));
    box.appendChild(line);
  }

  // What the pages cannot do without. Syntax cannot be tried under the policy of the pages; replaceAll came with or
  // after all the syntax that they use.
  function tooOld() {
    try {
      return !("noModule" in document.createElement("script")) || !String.prototype.replaceAll || !Element.prototype.replaceChildren ||
        !document.createElement("dialog").showModal || !window.ResizeObserver || !window.AbortController || !window.fetch || !window.Intl;
    } catch (e) {
      return true;
    }
  }

  function whenRead(then) {
    if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", then);
    else then();
  }

  if (tooOld()) {
    root.setAttribute("data-page", "refused"); // modules that run all the same leave it alone
    whenRead(function () {
      tell("old");
    });
    return;
  }

  function failed(detail) {
    whenRead(function () {
      if (root.getAttribute("data-page")) return;
      tell("failed", detail || t("no_script"));
    });
  }

  // Of scripts and their parts that do not come, the event is at the script and does not rise, so that it is caught
  // on its way down.
  window.addEventListener("error", function (e) {
    if (e.target && e.target.type === "module") failed("");
    else if (e.message) failed(e.message);
  }, true);

  setTimeout(function () {
    if (!root.getAttribute("data-page")) tell("slow");
  }, 20000);
})();
