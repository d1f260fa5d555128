import { HoldpointError } from '../../core/errors.ts';
import { hintsAtSecret } from '../../core/secret-names.ts';
import { holdsToken } from '../../core/token-shapes.ts';

const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;
const MAX_VALUE = 4096;

/**
 * Refuses build arguments that look like secrets: every image keeps its build arguments in its history, readable by
 * everybody who can pull it.
 *
 * @throws HoldpointError `denied`, or `invalid_input` for what is no argument at all. Never with the value in it.
 */
export function refuseSecretArguments(buildArgs: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(buildArgs)) {
    if (!NAME.test(name) || value.length > MAX_VALUE) {
      throw new HoldpointError('invalid_input', `${JSON.stringify(name.slice(0, 100))} is no usable build argument.`, {
        hint: `Names are letters, digits and underscores; values have at most ${MAX_VALUE} characters.`,
      });
    }
    // It names an image that BuildKit fetches and runs as the builder itself, and other settings of the builder.
    if (/^BUILDKIT_/i.test(name))
      throw new HoldpointError('denied', `The build argument ${name} changes the builder.`, {
        rule: 'build-args',
        hint: 'Leave it out; the Dockerfile is built by the Engine’s own builder.',
      });
    if (!hintsAtSecret(name) && !looksRandom(value) && !holdsToken(value)) continue;
    throw new HoldpointError(
      'denied',
      `The build argument ${name} looks like a secret, and an image shows its build arguments to everybody who has it.`,
      {
        rule: 'build-args',
        hint: 'Build without it and give the secret to the container when it starts (environment, Kubernetes Secret); fetch private dependencies before the build.',
      },
    );
  }
}

/** Long, of one word, with small and capital letters and digits: no version, path or commit looks like that. */
function looksRandom(value: string): boolean {
  return /^[A-Za-z0-9+/_=-]{32,}$/.test(value) && /[a-z]/.test(value) && /[A-Z]/.test(value) && /[0-9]/.test(value);
}
