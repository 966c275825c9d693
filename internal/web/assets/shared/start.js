// Says in words when the page cannot start: the browser is too old, or a script did not come or failed. A classic
// script in the syntax of 2009, loaded before everything else, as it must run where nothing else does. A page that
// has started is none of its business.
(function () {
  "use strict";
  var root = document.documentElement;

  function tell(heading, text, detail) {
    var app = document.getElementById("app");
    if (!app) return; // the body is still to come; told again then
    while (app.firstChild) app.removeChild(app.firstChild);
    var box = document.createElement("main");
    box.className = "empty";
    box.id = "main";
    add(box, "h1", heading);
    add(box, "p", text);
    if (detail) add(box, "p", detail);
    app.appendChild(box);
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
      tell("Your browser is too old", "This page needs a newer one. Update your browser, or open this page in a current Chrome, Edge, Firefox, or Safari.");
    });
    return;
  }

  function failed(detail) {
    whenRead(function () {
      if (root.getAttribute("data-page")) return;
      tell("This page could not start", "Reload it. If that does not help, try another browser, or tell the shop what it says below.", detail);
    });
  }

  // Of scripts and their parts that do not come, the event is at the script and does not rise, so that it is caught
  // on its way down.
  window.addEventListener("error", function (e) {
    if (e.target && e.target.type === "module") failed("A script of the page could not be loaded.");
    else if (e.message) failed(e.message);
  }, true);

  setTimeout(function () {
    if (!root.getAttribute("data-page")) tell("Still loading", "The connection to the shop is slow. The page starts by itself once it is all there.");
  }, 20000);
})();
