/** A disk that others may read, and perhaps write, byte by byte. Calls may overlap. */
export interface BlockExport {
  readonly sizeBytes: number;
  readonly isWritable: boolean;
  /** `length` bytes at `offset`; the range lies inside the disk. */
  read(offset: number, length: number, call: ExportCall): Promise<Uint8Array>;
  /** Takes the bytes over; `export-full` when there is no room for them. Never called on one that isn't writable. */
  write(offset: number, bytes: Uint8Array, call: ExportCall): Promise<void>;
  close(): Promise<void>;
}

export interface ExportCall {
  readonly signal: AbortSignal;
}
