// Uses the generated client as a program would; prints what it was told as JSON.
import { client } from "./generated/client.gen";
import { getBattle, listBattleKillmails, listBattles } from "./generated";
import type { Battle, BattleDetail, Problem } from "./generated";

declare const process: { argv: string[]; exitCode: number };

async function main(): Promise<void> {
  client.setConfig({ baseUrl: process.argv[2] });

  const battles: Battle[] = [];
  let pages = 0;
  for (let cursor: string | undefined, more = true; more; pages += 1) {
    const page = await listBattles({ query: { limit: 5, min_kills: 3, cursor }, throwOnError: true });
    battles.push(...page.data.items);
    cursor = page.data.next ?? undefined;
    more = cursor !== undefined;
  }

  const path = { id: battles[0].id };
  const battle: BattleDetail = (await getBattle({ path, throwOnError: true })).data;
  const killmails = (await listBattleKillmails({ path, throwOnError: true })).data.items;

  const wrong = await listBattles({ query: { limit: 1000 } });
  const problem: Problem | undefined = wrong.error;

  console.log(
    JSON.stringify({
      battles: battles.map((each) => [each.id, each.system.name, each.total_isk_destroyed]),
      pages,
      killmails: killmails.map((each) => each.killmail_id),
      sides: battle.sides.map((side) => [side.side_id, side.pilots]),
      problem: [problem?.status, problem?.type, problem?.errors?.[0]?.parameter],
    }),
  );
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
