using Microsoft.ML.Data;
using MLNet.PQCompression;
using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Fitting;
using MLNet.PQCompression.Saving;

namespace Microsoft.ML;

/// <summary>Extension methods for <see cref="TransformsCatalog"/> and <see cref="ModelOperationsCatalog"/> to compress ConvNets and to score with compressed ones.</summary>
public static class PqCompressionCatalog
{
    /// <summary>
    /// Create a <see cref="PqCompressionEstimator"/>, which compresses a trained ConvNet while it sees the images of column <paramref name="inputColumnName"/>
    /// and scores with it into a new column <paramref name="outputColumnName"/> and, where it names classes, "PredictedLabel".
    /// </summary>
    /// <param name="catalog">The transform's catalog.</param>
    /// <param name="outputColumnName">Name of the column to be made, usually "Score" or "Features".</param>
    /// <param name="inputColumnName">Name of the image column; if null, <paramref name="outputColumnName"/>.</param>
    /// <param name="modelFile">The trained network: ONNX, safetensors or a PyTorch state dict.</param>
    /// <param name="blocks">The block sizes: fitted keeps most accuracy, large makes the model smaller.</param>
    /// <param name="maxImages">How many images are looked at.</param>
    /// <param name="classNames">The classes in the order of the network's outputs; if null, what the model file says.</param>
    /// <param name="gpuDeviceId">The GPU to fit on, by the package MLNet.PQCompression.TorchSharp; if null, the MLContext's, else the CPU.</param>
    /// <param name="fallbackToCpu">Whether to fit on the CPU where the GPU cannot be used.</param>
    /// <param name="task">What the network does: name classes, or make features for a trainer behind it.</param>
    public static PqCompressionEstimator CompressModel(
        this TransformsCatalog catalog, string outputColumnName, string? inputColumnName, string modelFile,
        BlockRegime blocks = BlockRegime.Fitted, int maxImages = 2048, IReadOnlyList<string>? classNames = null, int? gpuDeviceId = null, bool fallbackToCpu = false,
        ImageTask task = ImageTask.Classifier) =>
        catalog.CompressModel(new PqCompressionEstimator.Options
        {
            OutputColumnName = outputColumnName,
            InputColumnName = inputColumnName,
            ModelFile = modelFile,
            Compression = new() { Blocks = blocks, MaxImages = maxImages },
            ClassNames = classNames,
            GpuDeviceId = gpuDeviceId,
            FallbackToCpu = fallbackToCpu,
            Task = task,
        });

    /// <summary>Create a <see cref="PqCompressionEstimator"/> with all options.</summary>
    /// <param name="catalog">The transform's catalog.</param>
    /// <param name="options">Columns, network and how to compress it.</param>
    public static PqCompressionEstimator CompressModel(this TransformsCatalog catalog, PqCompressionEstimator.Options options)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        return new(CatalogEnvironment.Of(catalog), options);
    }

    /// <summary>
    /// Create a <see cref="PqScoringEstimator"/>, which scores the images of column <paramref name="inputColumnName"/> with a ConvNet that is compressed already
    /// into a new column <paramref name="outputColumnName"/> and, where it names classes, "PredictedLabel".
    /// </summary>
    /// <param name="catalog">The transform's catalog.</param>
    /// <param name="outputColumnName">Name of the column to be made, usually "Score" or "Features".</param>
    /// <param name="inputColumnName">Name of the image column; if null, <paramref name="outputColumnName"/>.</param>
    /// <param name="onnxFile">The compressed network, as this package or the mlnet-pq tool writes it.</param>
    /// <param name="classNames">The classes in the order of the network's outputs; if null, what the model file says.</param>
    /// <param name="task">What the network does: name classes, or make features for a trainer behind it.</param>
    public static PqScoringEstimator ScoreCompressedModel(
        this TransformsCatalog catalog, string outputColumnName, string? inputColumnName, string onnxFile, IReadOnlyList<string>? classNames = null,
        ImageTask task = ImageTask.Classifier) =>
        catalog.ScoreCompressedModel(new PqScoringEstimator.Options
        {
            OutputColumnName = outputColumnName,
            InputColumnName = inputColumnName,
            ModelFile = onnxFile,
            ClassNames = classNames,
            Task = task,
        });

    /// <summary>Create a <see cref="PqScoringEstimator"/> with all options.</summary>
    /// <param name="catalog">The transform's catalog.</param>
    /// <param name="options">Columns and network.</param>
    public static PqScoringEstimator ScoreCompressedModel(this TransformsCatalog catalog, PqScoringEstimator.Options options)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        return new(CatalogEnvironment.Of(catalog), options);
    }

    /// <summary>
    /// Create a <see cref="PqDetectionEstimator"/>, which finds objects in the images of column <paramref name="inputColumnName"/> with a detector, dense or compressed, and makes the columns
    /// "Boxes", "Labels" and "Scores".
    /// </summary>
    /// <param name="catalog">The transform's catalog.</param>
    /// <param name="inputColumnName">Name of the image column.</param>
    /// <param name="modelFile">The detector, an ONNX file.</param>
    /// <param name="classNames">The classes in the order of the labels; if null, what the model file says.</param>
    /// <param name="leastScore">What an object's score must reach.</param>
    public static PqDetectionEstimator DetectObjects(
        this TransformsCatalog catalog, string inputColumnName, string modelFile, IReadOnlyList<string>? classNames = null, float leastScore = 0.3f) =>
        catalog.DetectObjects(new PqDetectionEstimator.Options
        {
            InputColumnName = inputColumnName,
            ModelFile = modelFile,
            ClassNames = classNames,
            Detections = new() { LeastScore = leastScore },
        });

    /// <summary>Create a <see cref="PqDetectionEstimator"/> with all options.</summary>
    /// <param name="catalog">The transform's catalog.</param>
    /// <param name="options">Columns, network, and how to compress it first, if at all.</param>
    public static PqDetectionEstimator DetectObjects(this TransformsCatalog catalog, PqDetectionEstimator.Options options)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        return new(CatalogEnvironment.Of(catalog), options);
    }

    /// <summary>Finds the detectors in a pipeline, fitted or loaded: to write them as ONNX, or to ask for their classes.</summary>
    /// <param name="catalog">The model catalog.</param>
    /// <param name="model">A transformer, usually from <see cref="ModelOperationsCatalog.Load(string, out DataViewSchema)"/>.</param>
    /// <returns>The detectors in the order of the pipeline; those of a loaded pipeline are read anew and are the caller's to dispose.</returns>
    /// <exception cref="MLNet.PQCompression.Graph.InvalidModelException">A saved detector is broken, or was saved by a newer version of this package.</exception>
    public static IReadOnlyList<PqDetectionTransformer> FindDetectors(this ModelOperationsCatalog catalog, ITransformer model)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(model);
        return [.. SavedDetectionChain.FindIn(model)];
    }

    /// <summary>Finds the compressed networks in a pipeline, fitted or loaded: to write them as ONNX, or to score in batches, which a loaded chain does not.</summary>
    /// <param name="catalog">The model catalog.</param>
    /// <param name="model">A transformer, usually from <see cref="ModelOperationsCatalog.Load(string, out DataViewSchema)"/>.</param>
    /// <returns>The networks in the order of the pipeline; those of a loaded pipeline are read anew and are the caller's to dispose.</returns>
    /// <exception cref="MLNet.PQCompression.Graph.InvalidModelException">A saved network is broken, or was saved by a newer version of this package.</exception>
    public static IReadOnlyList<PqCompressionTransformer> FindCompressedModels(this ModelOperationsCatalog catalog, ITransformer model)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(model);
        return [.. SavedChain.FindIn(model)];
    }
}
