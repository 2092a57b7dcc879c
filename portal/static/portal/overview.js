// The last days as stacked bars, in Tabler's colours of the moment.
(() => {
  const { days, series } = JSON.parse(document.getElementById("chart-data").textContent);
  const style = () => getComputedStyle(document.documentElement);
  const colour = (name) => style().getPropertyValue(`--tblr-${name}`).trim();
  const yuan = new Intl.NumberFormat("zh-CN");

  const paint = (chart) => {
    chart.data.datasets.forEach((set, index) => { set.backgroundColor = colour(series[index].colour); });
    for (const axis of Object.values(chart.options.scales)) {
      axis.ticks.color = colour("secondary");
      axis.grid.color = colour("border-color");
    }
    chart.options.plugins.legend.labels.color = colour("body-color");
    chart.update("none");
  };

  const chart = new Chart(document.getElementById("chart"), {
    type: "bar",
    data: { labels: days, datasets: series.map(({ label, orders }) => ({ label, data: orders })) },
    options: {
      animation: false,
      maintainAspectRatio: false,
      interaction: { mode: "index", intersect: false },
      scales: {
        x: { stacked: true, ticks: { maxRotation: 0 }, grid: { display: false } },
        y: { stacked: true, beginAtZero: true, ticks: { precision: 0 }, grid: {} },
      },
      plugins: {
        legend: { position: "bottom", labels: { boxWidth: 12 } },
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
  paint(chart);
  new MutationObserver(() => paint(chart)).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
})();
