import { testCatalogue } from "../../../test/support/catalogue-contract.ts";
import { MemoryCatalogue } from "./catalogue.ts";

testCatalogue("memory", () => new MemoryCatalogue());
