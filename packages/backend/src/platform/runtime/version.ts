/** Of this product; the same in the OpenAPI document, in logs and in `User-Agent`. */
export const VERSION = "0.1.0";
