/** One at a time; what fails is said, and tried again. */
export function every(ms: number, work: () => Promise<unknown>, onTrouble: (message: string) => void) {
  let isBusy = false;
  return setInterval(() => {
    if (isBusy) return;
    isBusy = true;
    void work()
      .catch((error: unknown) => onTrouble(error instanceof Error ? error.message : String(error)))
      .finally(() => {
        isBusy = false;
      });
  }, ms);
}
