/// <reference types="@sveltejs/kit" />

interface ImportMetaEnv {
  /** Origin of the API where it does not serve this page itself, such as `https://dam.example.org`. */
  readonly VITE_API_ORIGIN?: string;
}
