/* Draws the map of what the model believes with plotly, which is fetched from this server when it is first needed. */
window.gprBelief = (element) => {
  const colour = (name) => getComputedStyle(element).getPropertyValue(name).trim();
  const plotly = () => window.Plotly ? Promise.resolve() : (window.gprPlotly ??= new Promise((done, failed) => {
    const script = Object.assign(document.createElement('script'), {src: 'gpr/plotly.min.js', onload: done, onerror: failed});
    document.head.append(script);
  }));
  const mix = (one, other, share) => `color-mix(in srgb, ${one} ${Math.round(100 * share)}%, ${other})`;
  const resolved = (value) => { // plotly knows no color-mix
    const probe = Object.assign(document.createElement('i'), {style: `color:${value}`});
    element.append(probe);
    const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
    canvas.fillStyle = getComputedStyle(probe).color;
    canvas.fillRect(0, 0, 1, 1);
    probe.remove();
    const [red, green, blue] = canvas.getImageData(0, 0, 1, 1).data;
    return `rgb(${red},${green},${blue})`;
  };
  const tones = (map) => {
    const most = Math.max(...map.differences.map(Math.abs), 1e-9), ground = colour('--gpr-sunken');
    const places = new Map(map.keys.filter((_, at) => !map.above[at] || map.above[at] === 'all').map((key, at) => [key, at]));
    return map.keys.map((key, at) => {
      if (key === 'all') return resolved(colour('--gpr-surface'));
      if (map.differences.length) {
        const share = map.differences[at] / most;
        return resolved(mix(colour(share >= 0 ? '--gpr-accent' : '--gpr-bad'), ground, 0.75 * Math.abs(share)));
      }
      const top = map.above[at] === 'all' ? key : map.above[at];
      const hue = (225 + 47 * places.get(top)) % 360, dark = document.body.classList.contains('dark');
      return resolved(`hsl(${hue} ${dark ? 32 : 52}% ${dark ? 30 : map.above[at] === 'all' ? 80 : 87}%)`);
    });
  };
  const draw = async () => {
    const data = element.querySelector('[data-map]');
    if (!data) return;
    const place = element.querySelector('.gpr-map'), map = JSON.parse(data.dataset.map);
    try { await plotly(); } catch { place.textContent = data.dataset.fault; return; }
    if (!place.isConnected) return;
    const trace = {
      type: 'treemap', ids: map.keys, labels: map.labels, parents: map.above, values: map.values, branchvalues: 'remainder',
      customdata: map.hints, text: map.percents, texttemplate: '%{label}<br>%{text}', hovertemplate: '%{customdata}<extra></extra>',
      marker: {colors: tones(map), line: {width: 1, color: colour('--gpr-surface')}, cornerradius: 4},
      tiling: {pad: 2}, pathbar: {visible: true, thickness: 24}, sort: true, maxdepth: 3,
    };
    const font = {family: getComputedStyle(element).fontFamily, size: 13, color: colour('--gpr-text')};
    const layout = {
      uniformtext: {minsize: 11, mode: 'hide'}, margin: {l: 0, r: 0, t: 28, b: 0}, paper_bgcolor: 'rgba(0,0,0,0)', font,
      hoverlabel: {bgcolor: colour('--gpr-surface'), bordercolor: colour('--gpr-edge'), font},
    };
    await window.Plotly.newPlot(place, [trace], layout, {displayModeBar: false, responsive: true});
    place.on('plotly_treemapclick', ({nextLevel}) => { // the list can be filtered to the category that is looked at
      if (nextLevel === undefined) return;
      const at = map.keys.indexOf(nextLevel), only = element.querySelector('.gpr-only');
      const name = map.names[at] || map.names[map.keys.indexOf(map.above[at])] || '';
      only.hidden = !name;
      only.querySelector('b').textContent = name;
      Object.assign(only.querySelector('button').dataset, {name, on: 'True'});
    });
    place.dataset.drawn = map.keys.length;
  };
  return draw;
};
