"use strict";
// Plays the HLS, lets the overview's pictures seek, lists the files.
const facts = JSON.parse(document.getElementById("facts").textContent);
const video = document.getElementById("video");
const quality = document.getElementById("quality");
const media = (name) => "media/" + encodeURIComponent(name);

function element(name, properties) {
  return Object.assign(document.createElement(name), properties);
}

function showCaptions({ file, language }) {
  video.append(element("track", {
    kind: "captions", label: language, srclang: language, src: media(file), default: true,
  }));
  video.textTracks[0].mode = "showing";
  document.getElementById("captions").textContent = "Captions: " + language;
}

function playHls() {
  if (!Hls.isSupported()) { // Safari plays HLS by itself
    video.src = media(facts.hls);
    return;
  }
  const hls = new Hls();
  hls.loadSource(media(facts.hls));
  hls.attachMedia(video);
  hls.on(Hls.Events.MANIFEST_PARSED, () => {
    quality.append(element("option", { value: -1, textContent: "automatic" }));
    hls.levels.forEach((level, index) =>
      quality.append(element("option", { value: index, textContent: level.height + "p" })));
    quality.onchange = () => { hls.currentLevel = Number(quality.value); };
    video.play().catch(() => {}); // a browser may want a click first
  });
  hls.on(Hls.Events.LEVEL_SWITCHED, (_, { level }) => {
    document.getElementById("playing").textContent = "playing " + hls.levels[level].height + "p";
  });
  hls.on(Hls.Events.ERROR, (_, error) => {
    if (error.fatal) document.getElementById("playing").textContent = "This browser cannot play it: " + error.details;
  });
}

function seconds(text) {
  return text.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
}

async function showOverview() {
  const text = await (await fetch(media(facts.overview))).text();
  const cue = /([\d:.]+) --> [\d:.]+[^\n]*\n([^#\n]+)#xywh=(\d+),(\d+),(\d+),(\d+)/g;
  for (const [, start, picture, x, y, width, height] of text.matchAll(cue)) {
    const button = element("button", { title: start, onclick: () => { video.currentTime = seconds(start); } });
    button.setAttribute("aria-label", "Go to " + start);
    Object.assign(button.style, {
      width: width + "px", height: height + "px",
      background: 'url("' + media(picture.trim()) + '") -' + x + "px -" + y + "px",
    });
    document.getElementById("overview").append(button);
  }
}

if (facts.captions) showCaptions(facts.captions);
if (facts.hls) playHls();
else if (facts.audio.length) video.src = media(facts.audio[0]);
if (facts.overview) showOverview();
for (const name of facts.thumbnails) {
  document.getElementById("thumbnails").append(element("img", { src: media(name), alt: name }));
}
for (const name of [facts.hls, ...facts.mp4, ...facts.audio, facts.captions?.file].filter(Boolean)) {
  document.getElementById("files").append(element("a", { href: media(name), textContent: name }), " ");
}
