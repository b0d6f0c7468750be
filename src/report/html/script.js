"use strict";
(function () {
  var table = document.getElementById("matrix");
  var tools = document.getElementById("tools");
  if (!table || !tools) return;
  var body = table.tBodies[0];
  var rows = Array.prototype.slice.call(body.rows);
  var filter = document.getElementById("filter");
  var failing = document.getElementById("failing");
  var shown = document.getElementById("shown");
  function show() {
    var wanted = filter.value.trim().toLowerCase();
    var number = 0;
    rows.forEach(function (row) {
      var fits = row.cells[0].textContent.toLowerCase().indexOf(wanted) >= 0;
      row.hidden = !fits || (failing.checked && row.className === "pass");
      if (!row.hidden) number += 1;
    });
    shown.textContent = number + " / " + rows.length;
  }
  function value(row, column) {
    var cell = row.cells[column];
    return column === 0 ? cell.textContent : Number(cell.getAttribute("data-value"));
  }
  function sort(column, heading) {
    var down = heading.getAttribute("aria-sort") !== "descending";
    Array.prototype.forEach.call(table.tHead.rows[0].cells, function (other) { other.removeAttribute("aria-sort"); });
    heading.setAttribute("aria-sort", down ? "descending" : "ascending");
    var order = down ? -1 : 1;
    rows.sort(function (one, other) {
      var a = value(one, column), b = value(other, column);
      return order * (column === 0 ? a.localeCompare(b) : a - b);
    });
    rows.forEach(function (row) { body.appendChild(row); });
  }
  Array.prototype.forEach.call(table.tHead.rows[0].cells, function (heading, column) {
    var button = document.createElement("button");
    button.type = "button";
    button.textContent = "↕";
    button.setAttribute("aria-label", tools.getAttribute("data-sort").replace("{}", heading.textContent));
    button.addEventListener("click", function () { sort(column, heading); });
    heading.appendChild(button);
  });
  filter.addEventListener("input", show);
  failing.addEventListener("change", show);
  tools.addEventListener("submit", function (event) { event.preventDefault(); });
  tools.hidden = false;
  show();
  function open() {
    var target = document.getElementById(location.hash.slice(1));
    for (var place = target; place; place = place.parentElement) {
      if (place.tagName === "DETAILS") place.open = true;
    }
    if (target) target.scrollIntoView();
  }
  window.addEventListener("hashchange", open);
  if (location.hash) open();
})();
