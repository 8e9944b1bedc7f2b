// One conversation of @azure/ai-voicelive with an endpoint; what was received goes to standard output as JSON.
//
//   node talk.mjs MODULES ENDPOINT text|voice|tool [FILE.pcm]

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";

const [modules, endpoint, kind, recording] = process.argv.slice(2);
const require = createRequire(join(modules, "package.json"));
const { VoiceLiveClient } = require("@azure/ai-voicelive");

const CHUNK_BYTES = 4800; // 100 ms of pcm16 at 24 kHz

const weather = { type: "function", name: "get_weather", description: "The weather.", parameters: { type: "object" } };
const settings = {
  text: { modalities: ["text"] },
  voice: {
    modalities: ["text", "audio"],
    voice: { type: "azure-standard", name: "en-US-AvaMultilingualNeural" },
    turnDetection: { type: "azure_semantic_vad", silenceDurationInMs: 500 },
    inputAudioTranscription: { model: "azure-speech" },
    outputAudioTimestampTypes: ["word"],
  },
  tool: { modalities: ["text"], tools: [weather] },
};

const events = [];
const waiting = new Map();

/** The next event of a type. */
function next(type) {
  return new Promise((resolve) => waiting.set(type, resolve));
}

async function take(event) {
  events.push(event);
  waiting.get(event.type)?.(event);
}

async function ask(session, item) {
  const done = next("response.done");
  await session.addConversationItem(item);
  await session.sendEvent({ type: "response.create" });
  return done;
}

const client = new VoiceLiveClient(endpoint, { key: "any" });
const created = next("session.created");
const session = await client.startSession("gpt-realtime", { sessionHandlers: { onServerEvent: take } });
await created;
const updated = next("session.updated");
await session.updateSession(settings[kind]);
await updated;

let done;
if (kind === "voice") {
  const spoken = next("response.done");
  const audio = await readFile(recording);
  for (let start = 0; start < audio.length; start += CHUNK_BYTES) {
    await session.sendAudio(new Uint8Array(audio.subarray(start, start + CHUNK_BYTES)));
  }
  done = await spoken;
} else {
  const content = [{ type: "input_text", text: "What is the weather in Lisbon?" }];
  done = await ask(session, { type: "message", role: "user", content });
  if (kind === "tool") {
    const calls = done.response.output.filter((item) => item.type === "function_call");
    for (const call of calls.slice(1)) {
      await session.addConversationItem({ type: "function_call_output", callId: call.callId, output: "noon" });
    }
    done = await ask(session, { type: "function_call_output", callId: calls[0].callId, output: "sunny" });
  }
}

const of = (type) => events.filter((event) => event.type === type);
const joined = (type) => of(type).map((event) => event.delta).join("");
const report = {
  sessionId: session.sessionId,
  types: events.map((event) => event.type),
  text: joined("response.text.delta"),
  transcript: joined("response.audio_transcript.delta"),
  words: of("response.audio_timestamp.delta").map((event) => event.text),
  audioBytes: of("response.audio.delta").reduce((bytes, event) => bytes + event.delta.length, 0),
  heard: of("conversation.item.input_audio_transcription.completed").map((event) => event.transcript),
  calls: of("response.function_call_arguments.done").map((event) => event.arguments),
  status: done.response.status,
  usage: done.response.usage,
};
await session.disconnect();
console.log(JSON.stringify(report));
