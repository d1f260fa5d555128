import { allow, build, deny, dispatch, edit, hold, launch, pods, remove, rollout, save, view } from './calls.ts';
import type { Seed } from './seed.ts';

const AT = 'docs/workflow/artifacts';

/** The sub-agent of a workflow: its outputs are its own to write, others' are its inputs. */
export const S4: Seed = {
  document: 's4-pdlc-sub-agent.md',
  persona: 'pdlc-devops',
  role: ['DevOps Agent', 'Environment_Design', 'Blue-Green', 'INFRA04-env-specs.md'],
  files: {
    'docs/workflow/state.json': '{ "node": 5 }\n',
    [`${AT}/R12-prod-approval.md`]: 'approved\n',
    [`${AT}/INFRA01-requirements.md`]: 'two replicas\n',
    [`${AT}/R08-staging-deploy.md`]: 'done\n',
  },
  calls: [
    allow(save(`${AT}/INFRA04-env-specs.md`, '# Environments\n'), 362, 'INFRA04-env-specs.md'),
    allow(save(`${AT}/INFRA08-dev-env.md`, '# Development\n'), 367, 'INFRA08-dev-env.md'),
    allow(save(`${AT}/INFRA11-quality-gates.md`, '# Gates\n'), 372, 'INFRA11-quality-gates.md'),
    allow(save(`${AT}/INFRA13-monitoring-setup.md`, '# Monitoring\n'), 376, 'INFRA13-monitoring-setup.md'),
    allow(save(`${AT}/R06-release-artifacts/checksums.txt`, 'sha256\n'), 379, 'R06-release-artifacts/*'),
    allow(save(`${AT}/R07-version-tag.md`, 'v1.2.3\n'), 380, 'R07-version-tag.md'),
    allow(save(`${AT}/R13-prod-deploy.md`, '# Deployed\n'), 387, 'R13-prod-deploy.md'),
    allow(save(`${AT}/R18-rollback-result.md`, '# Rolled back\n'), 395, 'R18-rollback-result.md'),
    allow(save(`${AT}/D23-feedback-channels.md`, '# Feedback\n'), 399, 'D23-feedback-channels.md'),
    allow(edit(`${AT}/R08-staging-deploy.md`, 'done', 'done, checked'), 383, 'R08-staging-deploy.md'),
    // Others' outputs: to read, not to write.
    allow(view(`${AT}/INFRA01-requirements.md`), 76, 'INFRA01-requirements.md'),
    deny(save(`${AT}/INFRA01-requirements.md`), 76, 'INFRA01-requirements.md'),
    allow(view(`${AT}/R12-prod-approval.md`), 251, 'R12-prod-approval.md'),
    deny(save(`${AT}/R12-prod-approval.md`), 251, 'R12-prod-approval.md'),
    deny(save(`${AT}/R17-rollback-decision.md`), 311, 'R17-rollback-decision.md'),
    deny(save(`${AT}/R04-merge-result.md`), 202, 'R04-merge-result.md'),
    deny(save(`${AT}/D21-release-candidate.md`), 340, 'D21-release-candidate.md'),
    allow(view('docs/workflow/state.json'), 404, 'docs/workflow/state.json'),
    allow(save('docs/workflow/state.json', '{ "node": 6 }\n'), 410, 'Update `docs/workflow/state.json`'),
    // The infrastructure it makes.
    allow(save('.github/workflows/ci.yml', 'on: push\n'), 128, 'GitHub Actions'),
    allow(save('.gitlab-ci.yml', 'stages: [test]\n'), 128, 'GitLab CI'),
    allow(save('Jenkinsfile', 'pipeline {}\n'), 128, 'Jenkins'),
    allow(save('terraform/main.tf', '# main\n'), 89, 'Terraform'),
    allow(save('cloudformation/stack.yaml'), 89, 'CloudFormation'),
    deny(view('terraform/terraform.tfstate'), 430, 'Never commit state files to git'),
    deny(view('.env'), 433, 'Never commit secrets to git'),
    deny(save('src/orchestration/graph.py'), 576, 'With Developer', 'developer'),
    deny(save('tests/test_graph.py'), 582, 'With QA', 'qa'),
    // The way to production.
    allow(build('.', 'app:1.2.3', { dockerfile: 'docker/Dockerfile' }), 216, 'Docker images (tag with version)'),
    allow(rollout('restart', 'api', 'shop-staging'), 229, 'Execute deployment'),
    allow(dispatch('deploy-staging.yml', 'staging'), 156, 'Deploy to staging'),
    allow(pods('shop-prod'), 287, 'All instances healthy and serving traffic'),
    allow(launch('git', 'status'), 414, 'Version Control'),
    hold(rollout('restart', 'api', 'shop-prod'), 251, 'Review production approval'),
    hold(rollout('undo', 'api', 'shop-prod'), 311, 'Review rollback decision'),
    hold(dispatch('deploy-production.yml'), 160, 'Require manual approval'),
    hold(remove(`${AT}/R08-staging-deploy.md`), 407, 'Store all outputs'),
  ],
};
