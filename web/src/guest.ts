// The page of a guest, who can sign himself out.

import { begin } from "./act";

begin();
