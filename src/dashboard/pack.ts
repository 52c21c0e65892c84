export interface Box {
  readonly width: number;
  readonly height: number;
}

export interface PlacedBox {
  readonly x: number;
  readonly y: number;
}

/** What a wide screen shows beside each other. */
const WIDE = 1330;
const GAP = 26;

/** Puts boxes into columns that are about equally long, each box where there is the most room, in their order. */
export function packColumns(boxes: readonly Box[]): Box & { readonly boxes: readonly PlacedBox[] } {
  const widest = Math.max(1, ...boxes.map(({ width }) => width));
  const count = Math.max(1, Math.min(boxes.length, Math.floor((WIDE + GAP) / (widest + GAP))));
  const heights = Array.from({ length: count }, () => 0);
  const columns = boxes.map(({ height }) => {
    const column = heights.indexOf(Math.min(...heights));
    const y = heights[column]!;
    heights[column] = y + height + GAP;
    return { column, y };
  });
  const widths = heights.map((_, index) =>
    Math.max(0, ...boxes.filter((_box, box) => columns[box]!.column === index).map(({ width }) => width)),
  );
  const left = widths.map((_, index) => widths.slice(0, index).reduce((sum, width) => sum + width + GAP, 1));
  return {
    width: Math.ceil(widths.reduce((sum, width) => sum + width, 0) + GAP * (count - 1) + 2),
    height: Math.ceil(Math.max(GAP, ...heights) - GAP + 2),
    boxes: columns.map(({ column, y }) => ({ x: Math.round(left[column]!), y: Math.round(y) + 1 })),
  };
}
