// Print the requests of the collection that Postman makes of a document, each with its folder, in the order of a run.
const { readFileSync } = require("node:fs");

const { convert } = require("openapi-to-postmanv2");

const [document, folderStrategy] = process.argv.slice(2);

function requests(items, folder) {
  return items.flatMap((item) => (item.item ? requests(item.item, item.name) : [[folder, item.name]]));
}

convert({ type: "string", data: readFileSync(document, "utf8") }, { folderStrategy }, (error, made) => {
  if (error || !made.result) throw error ?? new Error(made.reason);
  console.log(JSON.stringify(requests(made.output[0].data.item, "")));
});
