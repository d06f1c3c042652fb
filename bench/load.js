// One step of `bench load`: PATHS (a JSON array) of TARGET in turns, either as fast as VUS clients can (RATE=0) or at RATE
// requests a second. What was measured goes to standard output as JSON.
import http from "k6/http";
import { check } from "k6";

const paths = JSON.parse(__ENV.PATHS);
const rate = Number(__ENV.RATE);
const duration = `${__ENV.SECONDS}s`;

export const options = {
  discardResponseBodies: true,
  summaryTrendStats: ["med", "p(95)", "p(99)", "max"],
  scenarios: {
    load: rate
      ? { executor: "constant-arrival-rate", rate, duration, preAllocatedVUs: 50, maxVUs: 200 }
      : { executor: "constant-vus", vus: Number(__ENV.VUS), duration },
  },
};

export default function () {
  const path = paths[Math.floor(Math.random() * paths.length)];
  const answer = http.get(`${__ENV.TARGET}${path}`, { tags: { name: "list" } });
  check(answer, { "status is 200": (it) => it.status === 200 });
}

export function handleSummary(data) {
  return { stdout: JSON.stringify(data.metrics) };
}
