// A rough measure that tells a weak password from a good one: 0 to 3. Advice only.
const COMMON = /^(pass(word|wort)?|admin|root|camera|kamera|qwert[yz]|letmein|welcome|vedette|secret|abc|iloveyou)?[\d!._-]*$/i;

export function strength(password: string, user: string): 0 | 1 | 2 | 3 {
  if (password.length < 4 || COMMON.test(password) || (user && password.toLowerCase().includes(user.toLowerCase()))) return 0;
  if (password.length < 8) return 1;
  let kinds = 0;
  for (const kind of [/[a-z]/, /[A-Z]/, /\d/, /[^A-Za-z0-9]/]) if (kind.test(password)) kinds++;
  const bits = new Set(password).size * Math.log2(kinds * 16);
  if (bits < 36) return 1;
  return bits < 56 && password.length < 14 ? 2 : 3;
}
