global using Activation = MLNet.PQCompression.Inference.Activation;
global using OrtSession = Microsoft.ML.OnnxRuntime.InferenceSession;
global using TensorElementType = Microsoft.ML.OnnxRuntime.Tensors.TensorElementType;
