// The life of a project, driven by a client that swagger-client makes from a description of the API (OpenAPI 3 or Swagger 2.0). Every call names an
// operation of the description; its parameters and its body go where the description says. Each answer's status and the state after it are checked.
// usage: node flow.mjs MODULES BASE USER:PASSWORD SOURCE [DESCRIPTION]
//   MODULES      folder with the node_modules of package.json
//   BASE         http://host:port
//   SOURCE       an image to copy, as project/repository:tag
//   DESCRIPTION  file with the description, JSON or YAML; the one that the server itself serves if it is left out
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const [modules, base, login, source, file] = process.argv.slice(2);
const require = createRequire(`${modules}/`);
const SwaggerClient = require('swagger-client').default ?? require('swagger-client');
const yaml = require('js-yaml');

const project = 'flow';
const megabyte = 1024 * 1024;
const client = await generate();
const description = client.spec;

async function generate() {
  const text = file ? readFileSync(file, 'utf8') : await (await fetch(`${base}/api/v2.0/openapi.json`)).text();
  const spec = yaml.load(text);
  // Where the server is: the description of a product does not know.
  if (spec.swagger) Object.assign(spec, { host: new URL(base).host, schemes: ['http'] });
  else spec.servers = [{ url: base }];
  const authorization = `Basic ${Buffer.from(login).toString('base64')}`;
  return new SwaggerClient({ spec, requestInterceptor: (request) => { request.headers.Authorization = authorization; return request; } });
}

function find(operationId) {
  for (const [path, item] of Object.entries(description.paths))
    for (const [method, operation] of Object.entries(item))
      if (operation.operationId === operationId || operation.__originalOperationId === operationId) return { path, method, item, operation };
  throw new Error(`the description has no operation ${operationId}`);
}

// Calls TAG.OPERATION, which must answer STATUS. What the description does not know would be left out in silence: it is an error here.
async function call(status, tag, operationId, parameters = {}, body = undefined) {
  const { operation, item } = find(operationId);
  const declared = [...(item.parameters ?? []), ...(operation.parameters ?? [])];
  const unknown = Object.keys(parameters).filter((name) => !declared.some((p) => p.name === name));
  assert.deepEqual(unknown, [], `parameters of ${operationId} that are not described`);
  const values = { ...parameters };
  const options = {};
  if (body !== undefined) {
    const place = declared.find((p) => p.in === 'body');
    assert.ok(place || operation.requestBody, `${operationId} is described without a body`);
    if (place) values[place.name] = body;
    else Object.assign(options, { requestBody: body, requestContentType: 'application/json' });
  }
  assert.equal(typeof client.apis[tag]?.[operationId], 'function', `the client has no ${tag}.${operationId}`);
  let answer;
  try {
    answer = await client.apis[tag][operationId](values, options);
  } catch (error) {
    if (error.response === undefined) throw error;
    answer = error.response;
  }
  assert.equal(answer.status, status, `${operationId}: ${answer.status} ${answer.text ?? ''}`);
  assertDescribed(operationId, operation, answer);
  console.log(`${operationId} ${answer.status}`);
  return answer;
}

// What an answer holds is in its description, so that a typed client sees it.
function assertDescribed(operationId, operation, answer) {
  const described = operation.responses[answer.status] ?? operation.responses['2XX'];
  if (answer.status >= 300 || !answer.body || typeof answer.body !== 'object') return;
  const schema = described.schema ?? described.content?.['application/json']?.schema;
  assert.ok(schema, `${operationId} is described without an answer, and gives ${answer.text}`);
  assertProperties(operationId, schema, answer.body);
}

function assertProperties(place, schema, value) {
  if (Array.isArray(value)) {
    value.forEach((element) => assertProperties(`${place}[]`, schema.items ?? {}, element));
  } else if (value && typeof value === 'object' && schema.properties) {
    for (const [name, inner] of Object.entries(value)) {
      const known = schema.properties[name] ?? schema.additionalProperties;
      assert.ok(known, `${place}.${name} is not described`);
      assertProperties(`${place}.${name}`, known === true ? {} : known, inner);
    }
  }
}

const id = (answer) => {
  assert.match(answer.headers.location ?? '', /\/\d+$/, 'the place of what was made ends with its number');
  return Number(answer.headers.location.split('/').pop());
};
const signsIn = async (name, secret) => (await fetch(`${base}/v2/`, { headers: { authorization: `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}` } })).status;

// ---- a project
await call(201, 'project', 'createProject', {}, { project_name: project, metadata: { public: 'false' }, storage_limit: 10 * megabyte });
await call(409, 'project', 'createProject', {}, { project_name: project });
await call(200, 'project', 'headProject', { project_name: project });
const { body: made } = await call(200, 'project', 'getProject', { project_name_or_id: project });
assert.deepEqual([made.name, made.metadata.public, made.repo_count], [project, 'false', 0]);
await call(200, 'project', 'updateProject', { project_name_or_id: project }, { metadata: { auto_scan: 'true' } });
const { body: metadata } = await call(200, 'projectMetadata', 'listProjectMetadatas', { project_name_or_id: project });
assert.deepEqual([metadata.public, metadata.auto_scan], ['false', 'true']);

// ---- a member
await call(201, 'user', 'createUser', {}, { username: 'flow-user', email: 'flow@example.test', realname: 'Flow', password: 'Passw0rd1' });
const { body: [user] } = await call(200, 'user', 'listUsers', { q: 'username=flow-user' });
const member = id(await call(201, 'member', 'createProjectMember', { project_name_or_id: project }, { role_id: 2, member_user: { username: 'flow-user' } }));
const { body: members } = await call(200, 'member', 'listProjectMembers', { project_name_or_id: project, entityname: 'flow-user' });
assert.deepEqual(members.map((m) => [m.id, m.entity_name, m.role_id]), [[member, 'flow-user', 2]]);
await call(200, 'member', 'updateProjectMember', { project_name_or_id: project, mid: member }, { role_id: 4 });
assert.equal((await call(200, 'member', 'getProjectMember', { project_name_or_id: project, mid: member })).body.role_id, 4);

// ---- a robot, and another secret for it
const access = ['pull', 'push'].map((action) => ({ resource: 'repository', action }));
const { body: robot } = await call(201, 'robot', 'CreateRobot', {}, { name: 'ci', level: 'project', duration: 30, permissions: [{ kind: 'project', namespace: project, access }] });
assert.deepEqual([robot.name, await signsIn(robot.name, robot.secret)], [`robot$${project}+ci`, 200]);
await call(200, 'robot', 'RefreshSec', { robot_id: robot.id }, { secret: 'Another-secret-1' });
assert.deepEqual([await signsIn(robot.name, 'Another-secret-1'), await signsIn(robot.name, robot.secret)], [200, 401]);
const { body: seen } = await call(200, 'robot', 'GetRobotByID', { robot_id: robot.id });
assert.deepEqual([seen.name, seen.level, seen.permissions[0].access.length], [robot.name, 'project', 2]);

// ---- its quota
const { body: quotas } = await call(200, 'quota', 'listQuotas', { reference: 'project', reference_id: String(made.project_id) });
assert.deepEqual(quotas.map((q) => [q.hard.storage, q.used.storage]), [[10 * megabyte, 0]]);
await call(200, 'quota', 'updateQuota', { id: quotas[0].id }, { hard: { storage: 20 * megabyte } });
assert.equal((await call(200, 'quota', 'getQuota', { id: quotas[0].id })).body.hard.storage, 20 * megabyte);

// ---- an artifact, its tags and its labels
const repository = { project_name: project, repository_name: 'copied' };
await call(201, 'artifact', 'CopyArtifact', { ...repository, from: source });
const { body: artifacts } = await call(200, 'artifact', 'listArtifacts', repository);
const tag = source.split(':')[1];
assert.deepEqual(artifacts.map((a) => [a.type, a.tags.map((t) => t.name)]), [['IMAGE', [tag]]]);
const reference = artifacts[0].digest;
assert.ok((await call(200, 'quota', 'getQuota', { id: quotas[0].id })).body.used.storage >= artifacts[0].size, 'the copy counts');
const label = id(await call(201, 'label', 'CreateLabel', {}, { name: 'checked', color: '#0065AB', scope: 'p', project_id: made.project_id }));
await call(200, 'artifact', 'addLabel', { ...repository, reference }, { id: label });
const { body: labelled } = await call(200, 'artifact', 'getArtifact', { ...repository, reference, with_label: true });
assert.deepEqual(labelled.labels.map((l) => [l.id, l.name]), [[label, 'checked']]);
const found = await call(200, 'artifact', 'listArtifacts', { ...repository, q: `labels=(${label})`, with_tag: false });
assert.deepEqual([found.body.length, found.headers['x-total-count']], [1, '1']);
await call(201, 'artifact', 'createTag', { ...repository, reference }, { name: 'v1' });
await call(409, 'artifact', 'createTag', { ...repository, reference }, { name: 'v1' });
const { body: tags } = await call(200, 'artifact', 'listTags', { ...repository, reference });
assert.deepEqual(tags.map((t) => t.name).sort(), [tag, 'v1'].sort());
assert.deepEqual((await call(200, 'repository', 'listRepositories', { project_name: project })).body.map((r) => [r.name, r.artifact_count]), [[`${project}/copied`, 1]]);

// ---- an immutable rule, which holds the tag
const selectors = {
  scope_selectors: { repository: [{ kind: 'doublestar', decoration: 'repoMatches', pattern: '**' }] },
  tag_selectors: [{ kind: 'doublestar', decoration: 'matches', pattern: 'v*' }],
};
const rule = id(await call(201, 'immutable', 'CreateImmuRule', { project_name_or_id: project }, { action: 'immutable', template: 'immutable_template', disabled: false, ...selectors }));
const { body: rules } = await call(200, 'immutable', 'ListImmuRules', { project_name_or_id: project });
assert.deepEqual(rules.map((r) => [r.id, r.tag_selectors[0].pattern]), [[rule, 'v*']]);
await call(412, 'artifact', 'deleteTag', { ...repository, reference, tag_name: 'v1' });
await call(200, 'immutable', 'DeleteImmuRule', { project_name_or_id: project, immutable_rule_id: rule });
await call(200, 'artifact', 'deleteTag', { ...repository, reference, tag_name: 'v1' });
assert.equal((await call(200, 'artifact', 'listTags', { ...repository, reference })).body.length, 1);

// ---- a webhook
const hook = { name: 'hook', enabled: true, event_types: ['PUSH_ARTIFACT'], targets: [{ type: 'http', address: 'https://hooks.example.com/x' }] };
const policy = id(await call(201, 'webhook', 'CreateWebhookPolicyOfProject', { project_name_or_id: project }, hook));
await call(200, 'webhook', 'UpdateWebhookPolicyOfProject', { project_name_or_id: project, webhook_policy_id: policy }, { ...hook, enabled: false });
const { body: kept } = await call(200, 'webhook', 'GetWebhookPolicyOfProject', { project_name_or_id: project, webhook_policy_id: policy });
assert.deepEqual([kept.name, kept.enabled, kept.event_types, kept.targets[0].address], ['hook', false, ['PUSH_ARTIFACT'], 'https://hooks.example.com/x']);

// ---- and all of it goes
await call(200, 'artifact', 'removeLabel', { ...repository, reference, label_id: label });
assert.equal((await call(200, 'artifact', 'getArtifact', { ...repository, reference, with_label: true })).body.labels ?? null, null);
await call(412, 'project', 'deleteProject', { project_name_or_id: project });
await call(200, 'artifact', 'deleteArtifact', { ...repository, reference });
await call(404, 'artifact', 'getArtifact', { ...repository, reference });
await call(200, 'repository', 'deleteRepository', repository);
assert.deepEqual((await call(200, 'repository', 'listRepositories', { project_name: project })).body, []);
assert.equal((await call(200, 'quota', 'getQuota', { id: quotas[0].id })).body.used.storage, 0);
await call(200, 'webhook', 'DeleteWebhookPolicyOfProject', { project_name_or_id: project, webhook_policy_id: policy });
await call(404, 'webhook', 'GetWebhookPolicyOfProject', { project_name_or_id: project, webhook_policy_id: policy });
await call(200, 'label', 'DeleteLabel', { label_id: label });
await call(404, 'label', 'GetLabelByID', { label_id: label });
await call(200, 'robot', 'DeleteRobot', { robot_id: robot.id });
assert.equal(await signsIn(robot.name, 'Another-secret-1'), 401);
await call(200, 'member', 'deleteProjectMember', { project_name_or_id: project, mid: member });
assert.deepEqual((await call(200, 'member', 'listProjectMembers', { project_name_or_id: project, entityname: 'flow-user' })).body, []);
await call(200, 'project', 'deleteProject', { project_name_or_id: project });
await call(404, 'project', 'headProject', { project_name: project });
await call(200, 'user', 'deleteUser', { user_id: user.user_id });
console.log('all of it is gone');
