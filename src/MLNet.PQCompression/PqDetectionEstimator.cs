using Microsoft.ML;
using MLNet.PQCompression.Columns;
using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Detectors;
using MLNet.PQCompression.Fitting;
using MLNet.PQCompression.Formats;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Images;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.OnnxRuntime;
using MLNet.PQCompression.Scoring;

namespace MLNet.PQCompression;

/// <summary>Finds objects in images with a trained detector, which it can compress first while it sees the images of a pipeline.</summary>
/// <remarks>
/// <format type="text/markdown"><![CDATA[
///
/// ###  Estimator Characteristics
/// |  |  |
/// | -- | -- |
/// | Does this estimator need to look at the data to train its parameters? | Only where it compresses, and then at images only |
/// | Input column data type | Image, vector of <xref:System.Single> (pixels), vector of <xref:System.Byte> (an encoded image) or [Text](xref:Microsoft.ML.Data.TextDataViewType) (a path) |
/// | Output column data type | Boxes and scores: vectors of <xref:System.Single>. Labels: vector of [keys](xref:Microsoft.ML.Data.KeyDataViewType). Masks: vector of <xref:System.Byte> |
/// | Required NuGet in addition to Microsoft.ML | MLNet.PQCompression; Microsoft.ML.ImageAnalytics for image columns |
/// | Exportable to ONNX | Yes, by PqDetectionTransformer.SaveAsOnnx |
///
/// The lists of a row are as long as there are objects in its image, the surest first.
/// ]]></format>
/// </remarks>
public sealed class PqDetectionEstimator : IEstimator<PqDetectionTransformer>
{
    private readonly Options _options;
    private readonly CatalogEnvironment _environment;

    internal PqDetectionEstimator(CatalogEnvironment environment, Options options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        (_environment, _options) = (environment, options);
    }

    /// <summary>Options for <see cref="PqCompressionCatalog.DetectObjects(TransformsCatalog, Options)"/>.</summary>
    public sealed class Options
    {
        /// <summary>The detector: ONNX, dense or compressed.</summary>
        public string ModelFile = "";

        /// <summary>The image column: an image (LoadImages), a vector of Single (ExtractPixels), a vector of Byte (an encoded image) or text (an image file's path).</summary>
        public string InputColumnName = "Image";

        /// <summary>The name of the column of boxes to be made: left, top, right, bottom of each object in pixels of the image, one behind the other.</summary>
        public string BoxesColumnName = "Boxes";

        /// <summary>The name of the column of labels to be made: keys whose values are the class names.</summary>
        public string LabelsColumnName = "Labels";

        /// <summary>The name of the column of scores to be made.</summary>
        public string ScoresColumnName = "Scores";

        /// <summary>The name of the column of masks to be made: for each object a byte for each pixel of the image, row by row, 1 where it is the object's. Null for none.</summary>
        public string? MasksColumnName;

        /// <summary>What the network's outputs mean; null finds out from their names and shapes.</summary>
        public DetectionProfile? Profile;

        /// <summary>Which detections are kept.</summary>
        public DetectionOptions Detections = new() { LeastScore = 0.3f };

        /// <summary>The names of the classes in the order of the labels; null takes those in the model file.</summary>
        public IReadOnlyList<string>? ClassNames;

        /// <summary>How to compress the network first; null takes it as it is.</summary>
        public CompressionOptions? Compression;

        /// <summary>The folder that paths of a text column are relative to, or null.</summary>
        public string? ImageFolder;

        /// <summary>How images become the network's input; null takes what the model file says, else what is usual for the profile.</summary>
        public ImagePreprocessing? Preprocessing;

        /// <summary>What the vectors of a Vector&lt;Single&gt; column hold.</summary>
        public PixelVectorFormat Pixels;

        /// <summary>How many threads score. A network with operators that have no kernel here is run by ONNX Runtime.</summary>
        public InferenceOptions Inference = new();

        /// <summary>What happens, where the network is compressed, when a row has no image that can be used.</summary>
        public OnBadImage OnBadImage = OnBadImage.Fail;

        /// <summary>Told of the stages and layers of a compression; they are also written to the log of the MLContext.</summary>
        public IProgress<CompressionProgress>? Progress;

        /// <summary>Ends Fit early with an <see cref="OperationCanceledException"/>.</summary>
        public CancellationToken CancellationToken;

        internal DetectionColumns Columns => new(BoxesColumnName, LabelsColumnName, ScoresColumnName, MasksColumnName);

        internal InferenceOptions Scoring => Inference with { ForeignRuntime = Inference.ForeignRuntime ?? new OnnxRuntimeEngine() };

        internal void Check()
        {
            ModelPath.Check(ModelFile);
            ArgumentException.ThrowIfNullOrWhiteSpace(InputColumnName);
            ArgumentNullException.ThrowIfNull(Detections);
            string[] names = [.. Columns.Names];
            foreach (string name in names)
                ArgumentException.ThrowIfNullOrWhiteSpace(name);
            if (names.Distinct(StringComparer.Ordinal).Count() < names.Length)
                throw new ArgumentException($"Two of the columns to be made have one name: {string.Join(", ", names)}.", nameof(BoxesColumnName));
        }
    }

    /// <summary>Reads the network, compresses it where that is asked for, and returns a transformer that finds objects with it.</summary>
    /// <param name="input">Data with the image column.</param>
    /// <exception cref="ArgumentOutOfRangeException">The image column is missing or of a type that holds no image.</exception>
    /// <exception cref="InvalidModelException">The network cannot be read, or is no such detector.</exception>
    /// <exception cref="ImageRowException">A row has no image that can be used.</exception>
    /// <exception cref="OperationCanceledException">Cancellation was asked for.</exception>
    public PqDetectionTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        ModelGraph network = ModelFile.Load(_options.ModelFile);
        DetectionModel model = DetectionModel.Create(network, _options, _options.ModelFile);
        ImageColumn column = ImageColumn.Bind(input.Schema, _options.InputColumnName, new(model.Preprocessing, _options.Pixels, _options.ImageFolder));
        using var log = new FitLog(_environment.Channels, _options.Progress);
        PreprocessingNotes.Tell(log, network, _options.ModelFile, _options.Preprocessing);
        CompressionResult? result = _options.Compression is { } compression ? Compress(model.Graph, input, column, compression, log) : null;
        var scorer = new DetectionScorer(model.With(result?.Student ?? model.Graph), _options.Scoring);
        log.Info($"Outputs read as {model.Profile.Name}, scored by {scorer.Engine}.");
        return new(scorer, column.Column.Name, column.Kind, column.Input, _options.Columns, result?.Report);
    }

    /// <summary>The schema with the columns that the transformer will add.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The image column is missing or of a type that holds no image.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        ImageColumn.Check(inputSchema, _options.InputColumnName);
        return _options.Columns.AddTo(inputSchema);
    }

    private CompressionResult Compress(ModelGraph network, IDataView input, ImageColumn column, CompressionOptions compression, FitLog log)
    {
        Action<ImageRowException>? skip = _options.OnBadImage == OnBadImage.Skip ? e => log.Warn($"Left out: {e.Message}") : null;
        var images = new DataViewSampleSource(input, column, null, compression.MaxImages, compression.Distillation?.MaxImages ?? 0, skip);
        return ModelCompressor.Compress(network, images, compression with { ForeignRuntime = compression.ForeignRuntime ?? _options.Scoring.ForeignRuntime }, log, _options.CancellationToken);
    }
}
