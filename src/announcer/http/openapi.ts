/** The OpenAPI 3.1 document of the API, made from the very table that the server runs on. */
import { z } from "zod";
import { bodyExamples } from "./api-examples.ts";
import { type ApiRoute, takesKey } from "./api-route.ts";
import { PROBLEM_TYPE } from "./problem.ts";

/** The document of `routes`, as JSON. */
export function openApiOf(routes: readonly ApiRoute[], version: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    const path = route.path.replaceAll(/:(\w+)/g, "{$1}");
    paths[path] ??= {};
    paths[path][route.method.toLowerCase()] = operationOf(route);
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "BTPublisher",
      version,
      description: "Publish files and directories, and see what becomes of them.",
    },
    paths,
    components: {
      securitySchemes: { token: { type: "http", scheme: "bearer" } },
      schemas: { Problem: problemSchema },
    },
  };
}

const problemSchema = {
  type: "object",
  description: "RFC 9457 problem details; `code` is stable, `detail` is for people.",
  required: ["title", "status", "detail", "code"],
  properties: {
    title: { type: "string" },
    status: { type: "integer" },
    detail: { type: "string" },
    code: { type: "string" },
    reason: { type: "string" },
  },
};

function operationOf(route: ApiRoute): object {
  const body = bodyOf(route);
  return {
    summary: route.summary,
    parameters: [...pathParameters(route), ...queryParameters(route), ...headersOf(route)],
    ...(body !== undefined && { requestBody: { content: body } }),
    responses: {
      ...Object.fromEntries(
        Object.entries(route.answers).map(([status, description]) => [
          status,
          { description, ...contentOf(route, Number(status)) },
        ]),
      ),
      default: {
        description: "What went wrong",
        content: { [PROBLEM_TYPE]: { schema: { $ref: "#/components/schemas/Problem" } } },
      },
    },
    security: securityOf(route),
  };
}

function securityOf({ access }: ApiRoute): object[] {
  if (access === "public" || access === "secret") return [];
  // An empty requirement beside another one: the token may be left out.
  return access === "reader" ? [{}, { token: [] }] : [{ token: [] }];
}

function contentOf(route: ApiRoute, status: number): object {
  if (status === 204) return {};
  if (status >= 400) {
    return { content: { [PROBLEM_TYPE]: { schema: { $ref: "#/components/schemas/Problem" } } } };
  }
  return { content: { [route.answerType ?? "application/json"]: {} } };
}

function bodyOf(route: ApiRoute): object | undefined {
  if (route.takesBytes === true) return { "application/octet-stream": {} };
  if (route.body === undefined) return undefined;
  const example = bodyExamples[`${route.method} ${route.path}`];
  return { "application/json": { schema: schemaOf(route.body), ...(example && { example }) } };
}

function pathParameters(route: ApiRoute): object[] {
  return [...route.path.matchAll(/:(\w+)/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
}

function queryParameters(route: ApiRoute): object[] {
  const { properties = {} } = schemaOf(route.query) as { properties?: Record<string, object> };
  return Object.entries(properties).map(([name, schema]) => ({ name, in: "query", schema }));
}

function headersOf(route: ApiRoute): object[] {
  if (route.takesIfMatch === true) {
    const description = "The `ETag` of what was seen: if it is not that any more, nothing changes.";
    const schema = { type: "string" };
    return [{ name: "If-Match", in: "header", required: false, description, schema }];
  }
  if (takesKey(route)) {
    const description = "The same request with the same key is answered as the first one was.";
    const schema = { type: "string", minLength: 1, maxLength: 255 };
    return [{ name: "Idempotency-Key", in: "header", required: false, description, schema }];
  }
  if (route.takesBytes !== true || route.method !== "PATCH") return [];
  return [{ name: "Upload-Offset", in: "header", required: true, schema: { type: "integer" } }];
}

function schemaOf(type: z.ZodType): object {
  const { $schema: _version, ...schema } = z.toJSONSchema(type, { io: "input" });
  return schema;
}
