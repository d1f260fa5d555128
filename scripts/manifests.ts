/** What registries and clients read about Holdpoint: the MCP Registry's server.json and the MCP bundle's manifest.json. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..');
const { name, version, description, mcpName, engines } = JSON.parse(
  readFileSync(join(ROOT, 'package.json'), 'utf8'),
) as {
  name: string;
  version: string;
  description: string;
  mcpName: string;
  engines: { node: string };
};

/** At most 100 characters, which is what the registry takes. */
const SHORT = 'A DevOps engineer’s hands for AI agents: production and deletions wait for a person’s approval.';

const WORKSPACE = 'The folder that the agent works in.';

/** https://github.com/modelcontextprotocol/registry, docs/reference/server-json */
export function serverJson(): string {
  const variable = (variable: string, text: string, isSecret = false) => ({
    name: variable,
    description: text,
    isRequired: false,
    ...(isSecret ? { isSecret } : {}),
  });
  return json({
    $schema: 'https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json',
    name: mcpName,
    title: 'Holdpoint',
    description: SHORT,
    version,
    packages: [
      {
        registryType: 'npm',
        identifier: name,
        version,
        runtimeHint: 'npx',
        transport: { type: 'stdio' },
        packageArguments: [
          { type: 'positional', value: 'serve' },
          { type: 'named', name: '--stdio' },
          { type: 'named', name: '--workspace', description: WORKSPACE, format: 'filepath', isRequired: true },
        ],
        environmentVariables: [
          { ...variable('HOLDPOINT_PERSONA', 'Who the agent is.'), default: 'devops' },
          variable('KUBECONFIG', 'The kubeconfig, unless it is ~/.kube/config.'),
          variable('DOCKER_HOST', 'The Docker Engine, unless it is the local one.'),
          variable('GH_TOKEN', 'A GitHub token, for workflows and pull requests.', true),
          variable('GRAFANA_URL', 'Grafana’s address, for metrics, logs and alerts.'),
          variable('GRAFANA_SERVICE_ACCOUNT_TOKEN', 'A token for Grafana.', true),
          variable('PROMETHEUS_URL', 'Prometheus’ address, where there is no Grafana.'),
          variable('ALERTMANAGER_URL', 'Alertmanager’s address, where there is no Grafana.'),
          variable('BATTRA_API_BASE', 'The task queue’s address.'),
          variable('BATTRA_API_KEY', 'The key for the task queue.', true),
        ],
      },
    ],
  });
}

/** https://github.com/modelcontextprotocol/mcpb, MANIFEST.md; the bundle has it beside `dist/`. */
export function bundleManifest(): string {
  return json({
    manifest_version: '0.3',
    name,
    display_name: 'Holdpoint',
    version,
    description,
    author: { name: 'The Holdpoint authors' },
    server: {
      type: 'node',
      entry_point: 'dist/main.js',
      mcp_config: {
        command: 'node',
        args: ['${__dirname}/dist/main.js', 'serve', '--stdio', '--workspace', '${user_config.workspace}'],
        env: {
          HOLDPOINT_PERSONA: '${user_config.persona}',
          GH_TOKEN: '${user_config.github_token}',
          GRAFANA_URL: '${user_config.grafana_url}',
          GRAFANA_SERVICE_ACCOUNT_TOKEN: '${user_config.grafana_token}',
        },
      },
    },
    tools_generated: true,
    compatibility: { platforms: ['linux', 'darwin', 'win32'], runtimes: { node: engines.node } },
    user_config: {
      workspace: { type: 'directory', title: 'Workspace', description: WORKSPACE, required: true },
      persona: {
        type: 'string',
        title: 'Persona',
        description: 'Who the agent is.',
        required: false,
        default: 'devops',
      },
      github_token: {
        type: 'string',
        title: 'GitHub token',
        description: 'For workflows and pull requests.',
        required: false,
        sensitive: true,
        default: '',
      },
      grafana_url: {
        type: 'string',
        title: 'Grafana address',
        description: 'For metrics, logs and alerts.',
        required: false,
        default: '',
      },
      grafana_token: {
        type: 'string',
        title: 'Grafana token',
        description: 'Of a service account.',
        required: false,
        sensitive: true,
        default: '',
      },
    },
  });
}

function json(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
