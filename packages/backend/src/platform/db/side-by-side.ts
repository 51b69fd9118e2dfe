/** A statement of drizzle's, sent when it is asked for; or work on one that has begun. */
type Statement = PromiseLike<unknown> & { readonly execute?: () => PromiseLike<unknown> };

/**
 * Statements of one transaction that need not wait for each other's answers: they are sent together and run in their
 * order, each seeing what those before it did. What is given as a promise has begun already, in whatever order.
 *
 * Ends when all of them have ended, also when one fails: else those that come later would go on in whatever transaction
 * has the connection next.
 *
 * @throws the first failure in their order: after it the others fail with the transaction
 */
export async function sideBySide<const Statements extends readonly Statement[]>(
  ...statements: Statements
): Promise<{ -readonly [K in keyof Statements]: Awaited<Statements[K]> }> {
  const ends = await Promise.allSettled(statements.map((statement) => statement.execute?.() ?? statement));
  const failed = ends.find((end) => end.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  return ends.map((end) => (end.status === "fulfilled" ? end.value : undefined)) as {
    -readonly [K in keyof Statements]: Awaited<Statements[K]>;
  };
}
