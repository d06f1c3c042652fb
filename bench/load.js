// One step of a load: PATHS (a JSON array) of TARGET in turns, either as fast as VUS clients can (RATE=0) or at RATE requests a
// second; with PROBES beside it `/healthz` twice a second. What was measured goes to standard output as JSON.
import http from "k6/http";
import { Counter, Trend } from "k6/metrics";

const paths = JSON.parse(__ENV.PATHS);
const rate = Number(__ENV.RATE);
const duration = `${__ENV.SECONDS}s`;

const served = new Trend("served_ms");
const shed = new Counter("shed");
const failed = new Counter("failed");
const probed = new Trend("probe_ms");
const probesFailed = new Counter("probes_failed");

export const options = {
  discardResponseBodies: true,
  summaryTrendStats: ["count", "med", "p(95)", "p(99)"],
  scenarios: {
    load: rate
      ? { executor: "constant-arrival-rate", rate, duration, preAllocatedVUs: 50, maxVUs: 200 }
      : { executor: "constant-vus", vus: Number(__ENV.VUS), duration },
    ...(__ENV.PROBES && {
      probes: { executor: "constant-arrival-rate", rate: 2, duration, preAllocatedVUs: 4, exec: "probe" },
    }),
  },
};

export default function () {
  const path = paths[Math.floor(Math.random() * paths.length)];
  const answer = http.get(`${__ENV.TARGET}${path}`, { tags: { name: "asked" } });
  if (answer.status === 200) served.add(answer.timings.duration);
  else (answer.status === 503 && answer.headers["Retry-After"] ? shed : failed).add(1);
}

export function probe() {
  const answer = http.get(`${__ENV.TARGET}/healthz?live=1`, { tags: { name: "probe" } });
  if (answer.status === 200) probed.add(answer.timings.duration);
  else probesFailed.add(1);
}

export function handleSummary(data) {
  return { stdout: JSON.stringify(data.metrics) };
}
