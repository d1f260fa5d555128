import type { Session } from '../store/store.ts';

/** How often the glass was broken in all, and how many of these nobody has reviewed. */
export async function glassCounts(session: Session): Promise<{ broken: number; open: number }> {
  const [row] = await session.query<{ broken: number; reviewed: number }>(
    `SELECT count(DISTINCT d.request) AS broken, count(DISTINCT m.request) AS reviewed FROM approval_decisions d
     LEFT JOIN approval_remarks m ON m.request = d.request AND m.decision = 'review' WHERE d.break_glass = 1`,
  );
  return { broken: row?.broken ?? 0, open: (row?.broken ?? 0) - (row?.reviewed ?? 0) };
}
