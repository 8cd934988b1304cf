import { defineConfig } from 'vite'

// The development server must leave onnxruntime-web where its .wasm files are. A build needs no setting.
export default defineConfig({ optimizeDeps: { exclude: ['onnxruntime-web'] } })
