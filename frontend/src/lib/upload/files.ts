/** Files out of what a browser hands over: drops (folders too), pastes and choosers. */
import { fromEvent } from 'file-selector';

/** Every file of a drop or a chooser; folders are walked through. */
export async function filesOf(event: Event): Promise<File[]> {
  const found = await fromEvent(event);
  return found.filter((entry): entry is File & typeof entry => entry instanceof File);
}

/** Pictures on the clipboard; a picture without a name is called after the time it was pasted. */
export function pastedFiles(event: ClipboardEvent, now = new Date()): File[] {
  const files = [...(event.clipboardData?.files ?? [])];
  return files.map((file) => (file.name === 'image.png' ? renamed(file, now) : file));
}

/** Whether a drag brings files, rather than text or a link. */
export function hasFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes('Files') ?? false;
}

function renamed(file: File, now: Date): File {
  const stamp = now.toISOString().slice(0, 19).replace('T', ' ').replaceAll(':', '.');
  return new File([file], `Pasted ${stamp}.png`, { type: file.type });
}
