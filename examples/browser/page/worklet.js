// Runs on the audio thread: samples out of the microphone, samples into the loudspeaker.

class Microphone extends AudioWorkletProcessor {
  #frame = new Int16Array(sampleRate / 50); // 20 ms
  #filled = 0;

  process([[channel]]) {
    for (const sample of channel ?? []) {
      this.#frame[this.#filled++] = Math.max(-1, Math.min(1, sample)) * 32767;
      if (this.#filled === this.#frame.length) {
        this.port.postMessage(this.#frame.slice());
        this.#filled = 0;
      }
    }
    return true;
  }
}

class Loudspeaker extends AudioWorkletProcessor {
  #waiting = []; // pieces of { itemId, startMs, samples, taken }

  constructor() {
    super();
    this.port.onmessage = ({ data }) => {
      if (data === "flush") this.#waiting = [];
      else this.#waiting.push({ ...data, taken: 0 });
    };
  }

  process(_, [[channel]]) {
    let filled = 0;
    while (filled < channel.length && this.#waiting.length) {
      const piece = this.#waiting[0];
      const count = Math.min(channel.length - filled, piece.samples.length - piece.taken);
      for (let n = 0; n < count; n++) channel[filled++] = piece.samples[piece.taken++] / 32768;
      if (piece.taken === piece.samples.length) {
        this.#waiting.shift();
        this.port.postMessage({ item_id: piece.itemId, ms: piece.startMs + (1000 * piece.taken) / sampleRate });
      }
    }
    return true;
  }
}

registerProcessor("microphone", Microphone);
registerProcessor("loudspeaker", Loudspeaker);
