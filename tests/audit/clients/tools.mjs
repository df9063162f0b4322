// Print the tools that openapi-mcp-generator makes of a document.
import { getToolsFromOpenApi } from "openapi-mcp-generator";

const tools = await getToolsFromOpenApi(process.argv[2]);
console.log(JSON.stringify(tools.map((tool) => tool.name)));
