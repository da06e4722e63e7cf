// Opens the stream while WASM is still under way. What it says meanwhile is kept for whoever takes it over.
(address) => {
  const stream = (window.early = new EventSource(address));
  stream.kept = [];
  stream.onmessage = (event) => stream.kept.push(event);
}
