/**
 * Statements of one transaction that need not wait for each other's answers: they are sent together and run in their
 * order.
 *
 * Ends when all of them have ended, also when one fails: else those that come later would go on in whatever transaction
 * has the connection next.
 */
export async function sideBySide<First, Second>(
  first: PromiseLike<First>,
  second: PromiseLike<Second>,
): Promise<[First, Second]> {
  const [one, two] = await Promise.allSettled([first, second]);
  if (one.status === "rejected") throw one.reason;
  if (two.status === "rejected") throw two.reason;
  return [one.value, two.value];
}
