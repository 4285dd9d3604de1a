using MLNet.PQCompression.Distillation;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Quantization;

namespace MLNet.PQCompression.Compute;

/// <summary>What a compression runs on: evaluation, quantization and training of one kind, on one device.</summary>
/// <remarks>Control flow, seeds, tolerances and budgets are the callers' and are written once; a backend supplies the steps.</remarks>
public interface IBackend : IEvaluationBackend, IQuantizationBackend, ITrainingBackend;
