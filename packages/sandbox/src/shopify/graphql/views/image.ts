import type { Product } from "../../model.ts";
import { imageUrl } from "../../rest/product.ts";
import { gid, time } from "./parts.ts";

export function imageView(product: Product) {
  return {
    id: gid("ProductImage", product.mediaId),
    altText: product.title,
    height: 1200,
    width: 1200,
    thumbhash: null,
    url: imageUrl(product),
  };
}

export function mediaView(product: Product) {
  return {
    __typename: "MediaImage",
    id: gid("MediaImage", product.mediaId),
    alt: product.title,
    mediaContentType: "IMAGE",
    mimeType: "image/png",
    status: "READY",
    fileStatus: "READY",
    createdAt: time(product.createdAt),
    updatedAt: time(product.createdAt),
    image: () => imageView(product),
    preview: () => ({ status: "READY", image: imageView(product) }),
  };
}
