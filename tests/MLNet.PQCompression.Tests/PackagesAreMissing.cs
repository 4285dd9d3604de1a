namespace MLNet.PQCompression.Tests;

/// <summary>Stands for the tests whose packages are on no feed.</summary>
public sealed class PackagesAreMissing
{
#if !MLNET_AVAILABLE
    [Fact(Skip = "skipped: Microsoft.ML 5.0.1 is on no configured feed")]
    public void Tests_of_the_ML_NET_package() { }
#else
#if !MLNET_ONNX_AVAILABLE
    [Fact(Skip = "skipped: Microsoft.ML.OnnxTransformer 5.0.1 or Microsoft.ML.OnnxRuntime 1.30.0 is on no configured feed")]
    public void Tests_of_ApplyOnnxModel() { }
#endif
#if !MLNET_EXTENSIONS_AVAILABLE
    [Fact(Skip = "skipped: Microsoft.Extensions.ML 5.0.1 is on no configured feed")]
    public void Tests_of_PredictionEnginePool() { }
#endif
#endif
}
