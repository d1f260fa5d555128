import { baseOf, effective, execForm } from './dockerfile-source.ts';
import type { Dockerfile, Stage } from './dockerfile-source.ts';
import type { Rule } from './finding.ts';
import { floats, lacksDigest, readImage, shortName } from './images.ts';

/** Images whose default variant brings a whole distribution with compilers. */
const LARGE =
  /^(?:python|node|golang|ruby|php|openjdk|eclipse-temurin|amazoncorretto|maven|gradle|rust|sdk|gcc|buildpack-deps)$/;
const SMALL = /slim|alpine|distroless|minimal|micro|nano|wolfi|chiseled|scratch/;
const UNPRIVILEGED = /nonroot|non-root|unprivileged|rootless/;

/** Stages that start from an image of a registry, each image once. */
function bases({ stages }: Dockerfile): Stage[] {
  const seen = new Set<string>();
  return stages.filter(({ image, parent }) => {
    if (parent || image === 'scratch' || seen.has(image)) return false;
    seen.add(image);
    return true;
  });
}

/** The stage that becomes the image, where it is one that runs something. */
function running({ stages }: Dockerfile): Stage | undefined {
  const last = stages.at(-1);
  const runs = ['CMD', 'ENTRYPOINT', 'EXPOSE'].some((word) => effective(last, word).length > 0);
  return runs ? last : undefined;
}

/** Images that files are copied or mounted from, with the line. */
function sources({ instructions, stageNames }: Dockerfile): { line: number; image: string }[] {
  return instructions.flatMap(({ line, flags }) =>
    [
      ...(flags.get('from') ?? []),
      ...(flags.get('mount') ?? []).map((mount) => /(?:^|,)from=([^,]+)/.exec(mount)?.[1] ?? ''),
    ]
      .filter((image) => image !== '' && image !== 'scratch' && !stageNames.has(image.toLowerCase()))
      .map((image) => ({ line, image })),
  );
}

export const DOCKERFILE_IMAGE_RULES: readonly Rule<Dockerfile>[] = [
  {
    id: 'unpinned-base',
    severity: 'error',
    why: 'The next build may start from another image, and nobody sees what changed.',
    fix: 'FROM name:1.2.3-slim@sha256:…',
    *check(file) {
      for (const { line, image } of bases(file)) {
        const how = floats(image);
        if (how)
          yield {
            line,
            what: `base ${image} ${how}`,
            fix: `FROM ${readImage(image)?.name ?? 'name'}:<version>@sha256:<digest>`,
          };
      }
    },
  },
  {
    id: 'base-without-digest',
    severity: 'info',
    why: 'A tag can be moved to another image; a digest cannot.',
    fix: 'FROM name:tag@sha256:<digest>   # docker buildx imagetools inspect name:tag',
    *check(file) {
      for (const { line, image } of bases(file))
        if (lacksDigest(image))
          yield {
            line,
            what: `base ${image} has no digest`,
            fix: `FROM ${image}@sha256:<digest>   # docker buildx imagetools inspect ${image}`,
          };
    },
  },
  {
    id: 'unpinned-copy-from',
    severity: 'warning',
    why: 'What is copied changes without a change of this file.',
    fix: 'COPY --from=name:1.2.3 …',
    *check(file) {
      for (const { line, image } of sources(file)) {
        const how = floats(image);
        if (how)
          yield {
            line,
            what: `copies from ${image}, which ${how}`,
            fix: `--from=${readImage(image)?.name ?? 'name'}:<version>`,
          };
      }
    },
  },
  {
    id: 'large-base',
    severity: 'info',
    why: 'A full distribution with compilers is large and has more to patch; images should stay below 500 MB.',
    fix: 'FROM the -slim, -alpine or distroless variant of the image',
    *check({ stages }) {
      const last = stages.at(-1);
      if (!last) return;
      const image = baseOf(last);
      if (LARGE.test(shortName(image)) && !SMALL.test(image))
        yield { line: last.line, what: `the image is built on ${image}` };
    },
  },
  {
    id: 'root-user',
    severity: 'warning',
    why: 'Who breaks out of the process is root in the container.',
    fix: 'RUN useradd --uid 10001 --no-create-home app\nUSER 10001',
    *check(file) {
      const stage = running(file);
      if (!stage) return;
      const user = effective(stage, 'USER').at(-1);
      if (!user && !UNPRIVILEGED.test(baseOf(stage))) yield { line: stage.line, what: 'the final stage sets no USER' };
      if (user && /^["']?(?:root|0+)(?::|["']?$)/i.test(user.rest))
        yield { line: user.line, what: 'the final stage runs as root' };
    },
  },
  {
    id: 'no-healthcheck',
    severity: 'warning',
    why: 'A process that hangs counts as running.',
    fix: 'HEALTHCHECK --interval=30s --timeout=3s --retries=3 CMD ["curl", "-fsS", "http://localhost:8000/health"]   # or HEALTHCHECK NONE where probes do it',
    *check(file) {
      const stage = running(file);
      if (stage && effective(stage, 'HEALTHCHECK').length === 0)
        yield { line: stage.line, what: 'the final stage has no HEALTHCHECK' };
    },
  },
  {
    id: 'shell-form',
    severity: 'warning',
    why: 'A shell becomes process 1 and does not pass on SIGTERM, so that every stop waits until it is killed.',
    fix: 'CMD ["program", "argument"]',
    *check({ stages }) {
      for (const { line, word, rest } of stages.flatMap(({ instructions }) => instructions)) {
        if ((word !== 'CMD' && word !== 'ENTRYPOINT') || /^exec\s/.test(rest) || execForm(rest)) continue;
        yield { line, what: `${word} is in shell form`, fix: `${word} ["program", "argument"]` };
      }
    },
  },
  {
    id: 'ssh-port',
    severity: 'warning',
    why: 'A container is entered with docker exec or kubectl exec; an SSH server needs keys, patches and a second process.',
    fix: 'Remove EXPOSE 22 and the SSH server.',
    *check({ instructions }) {
      for (const { line, word, rest } of instructions)
        if (word === 'EXPOSE' && /(?:^|\s)22(?:\/tcp)?(?:\s|$)/i.test(rest)) yield { line, what: 'exposes port 22' };
    },
  },
];
