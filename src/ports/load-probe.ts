/** How busy this process is. */

/** A look at the load since the look before (for the first one: since the probe was made). */
export interface Load {
  /** Processor time of the whole process ÷ time passed: 1 is one core. */
  readonly cpuFraction: number;
  /** Mean delay of due timers beyond what they asked for, milliseconds. */
  readonly eventLoopDelayMs: number;
  /** Bytes that reads of files had to get from storage, since the system had them not cached. */
  readonly storageReadBytes: number;
}

export interface LoadProbe {
  sample(): Load;
  close(): void;
}
