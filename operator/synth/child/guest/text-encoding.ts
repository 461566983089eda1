// TextEncoder and TextDecoder over Buffer: UTF-8, and Latin-1 and UTF-16 for reading. No streaming.
import { Buffer } from 'buffer';

/** UTF-8 encoder with the methods of the web's TextEncoder. */
export class TextEncoderShim {
  readonly encoding = 'utf-8';
  encode(text = ''): Uint8Array {
    return new Uint8Array(Buffer.from(String(text), 'utf8'));
  }
}

/** Decoder with the methods of the web's TextDecoder. */
export class TextDecoderShim {
  readonly encoding: string;
  constructor(label = 'utf-8') {
    this.encoding = String(label).toLowerCase();
  }
  decode(bytes?: ArrayBuffer | ArrayBufferView): string {
    if (bytes === undefined) return '';
    const buffer = ArrayBuffer.isView(bytes) ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) : Buffer.from(bytes);
    const encoding = this.encoding === 'utf-16le' ? 'utf16le' : this.encoding === 'latin1' ? 'latin1' : 'utf8';
    return buffer.toString(encoding).replace(/^\ufeff/, '');
  }
}
