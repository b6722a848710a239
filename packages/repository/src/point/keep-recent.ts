export interface RecentAnswers<Answer> {
  /** The remembered answer, or that of `read`; callers that ask at the same time share one. A failure is not remembered. */
  get(key: string, read: () => Promise<Answer>): Promise<Answer>;
  /** Callers that found the same answer wanting share the next one, too. */
  forget(key: string, answer: Promise<Answer>): void;
}

/** Remembers the answers that were asked for last. */
export function keepRecent<Answer>(kept: number): RecentAnswers<Answer> {
  const answers = new Map<string, Promise<Answer>>();
  return {
    get(key, read) {
      const known = answers.get(key);
      const answer = known ?? read();
      answers.delete(key);
      answers.set(key, answer);
      if (known === undefined) {
        answer.catch(() => this.forget(key, answer));
        if (answers.size > kept) answers.delete(answers.keys().next().value!);
      }
      return answer;
    },
    forget(key, answer) {
      if (answers.get(key) === answer) answers.delete(key);
    },
  };
}
