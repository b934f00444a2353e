/** A chart by Observable Plot, as wide as there is room. */
import * as Plot from '@observablehq/plot';
import { useEffect, useRef, useState } from 'preact/hooks';

export interface ChartProps {
  /** What it shows, for who cannot see it. */
  readonly label: string;
  /** The same function as long as the chart is the same. @param width in pixels */
  draw(width: number): Plot.PlotOptions;
}

export function Chart({ label, draw }: ChartProps) {
  const parent = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const observer = new ResizeObserver(([{ contentRect }]) => setWidth(Math.floor(contentRect.width)));
    observer.observe(parent.current as HTMLElement);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    if (width === 0) return;
    const plot = Plot.plot({
      marginLeft: 52,
      marginRight: 16,
      ...draw(width),
      width,
      ariaLabel: label,
      style: { background: 'none', fontSize: '11px', overflow: 'visible' },
    });
    parent.current?.replaceChildren(plot);
  }, [draw, label, width]);
  return <div class="chart" ref={parent} />;
}
