// The last days as stacked bars, in Tabler's colours of the moment.
(() => {
  const { days, series } = JSON.parse(document.getElementById("chart-data").textContent);
  const canvas = document.getElementById("chart");
  const yuan = new Intl.NumberFormat("zh-CN");
  const pixel = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const probe = canvas.parentElement.appendChild(document.createElement("span"));
  probe.hidden = true;

  // Tabler's variables hold light-dark() and oklch(), which Chart.js can't read: painting one yields plain rgb.
  const colour = (name) => {
    probe.style.color = `var(--tblr-${name})`;
    pixel.clearRect(0, 0, 1, 1);
    pixel.fillStyle = getComputedStyle(probe).color;
    pixel.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = pixel.getImageData(0, 0, 1, 1).data;
    return `rgba(${red}, ${green}, ${blue}, ${alpha / 255})`;
  };

  const draw = () => new Chart(canvas, {
    type: "bar",
    data: {
      labels: days,
      datasets: series.map((group) => ({
        label: group.label, data: group.orders, backgroundColor: colour(group.colour), maxBarThickness: 40,
      })),
    },
    options: {
      animation: false,
      maintainAspectRatio: false,
      interaction: { mode: "index", intersect: false },
      scales: {
        x: { stacked: true, ticks: { maxRotation: 0, color: colour("secondary") }, grid: { display: false } },
        y: {
          stacked: true,
          beginAtZero: true,
          ticks: { precision: 0, color: colour("secondary") },
          grid: { color: colour("border-color") },
        },
      },
      plugins: {
        legend: { position: "bottom", labels: { boxWidth: 12, color: colour("body-color") } },
        tooltip: {
          filter: (item) => item.raw > 0,
          callbacks: {
            label: (item) =>
              `${item.dataset.label}: ${item.raw} (¥ ${yuan.format(series[item.datasetIndex].money[item.dataIndex])})`,
          },
        },
      },
    },
  });

  let chart = draw();
  new MutationObserver(() => {
    chart.destroy();
    chart = draw();
  }).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
})();
