// A client for the protocol of docs/browser.md: plain JavaScript, no build step.
//
//   const call = new VoiceCall("wss://voice.example.com/call", { parameters: { language: "en-US" } });
//   call.addEventListener("transcript", ({ detail }) => console.log(detail.who, detail.text));
//   await call.start(); // in the handler of a click: browsers demand one before sound
//
// Each text message of the server is an event of its own type; "closed" comes once at the end, however it came.

const VERSION = 1;

export class VoiceCall extends EventTarget {
  #url;
  #start;
  #socket;
  #context;
  #stream;
  #loudspeaker;
  #itemId = "";
  #placeMs = 0;

  // rateHz: 16000 or 24000, both ways. parameters: texts for the server, which nothing proves.
  constructor(url, { rateHz = 24000, parameters = {} } = {}) {
    super();
    this.#url = url;
    this.#start = { type: "start", version: VERSION, rate_hz: rateHz, parameters };
  }

  // Asks for the microphone, then calls. Rejects where the one is denied or the other fails.
  async start() {
    try {
      this.#context = new AudioContext({ sampleRate: this.#start.rate_hz, latencyHint: "interactive" });
      await this.#context.audioWorklet.addModule(new URL("worklet.js", import.meta.url));
      const audio = { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true };
      this.#stream = await navigator.mediaDevices.getUserMedia({ audio });
      await this.#context.resume();
      await this.#connect();
      this.#listen();
    } catch (error) {
      this.#release();
      throw error;
    }
  }

  // A typed message; the agent answers it. Say interrupt() first where it shall not finish before.
  say(text) {
    this.send({ type: "text", text });
  }

  interrupt() {
    this.send({ type: "interrupt" });
  }

  mute(muted) {
    for (const track of this.#stream?.getAudioTracks() ?? []) track.enabled = !muted; // silence still flows
  }

  // Hangs up; the server says "end" and closes the socket.
  stop() {
    this.send({ type: "stop" });
  }

  // Any message, such as the "avatar.offer" of a WebRTC link of yours.
  send(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #connect() {
    this.#socket = new WebSocket(this.#url);
    this.#socket.binaryType = "arraybuffer";
    this.#loudspeaker = new AudioWorkletNode(this.#context, "loudspeaker", { outputChannelCount: [1] });
    this.#loudspeaker.port.onmessage = ({ data }) => this.#played(data);
    this.#loudspeaker.connect(this.#context.destination);
    this.#socket.onmessage = ({ data }) => (typeof data === "string" ? this.#told(JSON.parse(data)) : this.#play(data));
    return new Promise((connected, failed) => {
      this.#socket.onopen = () => {
        this.send(this.#start);
        connected();
      };
      this.#socket.onclose = ({ code, reason }) => {
        this.#release();
        this.#dispatch("closed", { code, reason });
        failed(new Error(`the call was not taken: ${code} ${reason}`));
      };
    });
  }

  #listen() {
    const microphone = new AudioWorkletNode(this.#context, "microphone", { channelCount: 1, channelCountMode: "explicit" });
    microphone.port.onmessage = ({ data }) => {
      if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(data); // samples of this machine: little-endian
    };
    this.#context.createMediaStreamSource(this.#stream).connect(microphone);
    microphone.connect(this.#context.destination); // it is silent; what leads nowhere is not run
  }

  #told(message) {
    if (message.type === "audio") {
      this.#itemId = message.item_id;
      this.#placeMs = message.start_ms;
    } else if (message.type === "flush") {
      this.#loudspeaker.port.postMessage("flush");
    }
    this.#dispatch(message.type, message);
  }

  #play(buffer) {
    const samples = new Int16Array(buffer);
    const piece = { itemId: this.#itemId, startMs: this.#placeMs, samples };
    this.#placeMs += (1000 * samples.length) / this.#start.rate_hz;
    this.#loudspeaker.port.postMessage(piece, [buffer]);
  }

  // The audio thread has handed samples over; the ear gets them as much later as the device takes.
  #played(place) {
    const latencyMs = 1000 * (this.#context.outputLatency || 0);
    setTimeout(() => this.send({ type: "played", ...place }), latencyMs);
  }

  #release() {
    this.#socket?.close();
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    if (this.#context && this.#context.state !== "closed") this.#context.close();
  }

  #dispatch(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
