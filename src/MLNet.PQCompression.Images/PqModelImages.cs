using System.Runtime.CompilerServices;
using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Distillation;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Images;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Reporting;

namespace MLNet.PQCompression;

/// <summary>What a <see cref="PqModel"/> does with pictures: files, encoded bytes, folders, archives and lists. They are preprocessed as the model states.</summary>
public static class PqModelImages
{
    private static readonly ConditionalWeakTable<PqModel, StatedPreprocessing> Stated = [];

    extension(PqModel model)
    {
        /// <summary>How pictures become the network's input, who says so, and what had to be assumed; as text it is a sentence to show.</summary>
        /// <exception cref="FormatException">The model's metadata entry is broken.</exception>
        /// <exception cref="ArgumentException">The network's input is no image.</exception>
        public StatedPreprocessing Preprocessing => Stated.GetValue(model, static m => StatedPreprocessing.For(m.Graph, m.File));

        /// <summary>The same network with another preprocessing, which is saved with it.</summary>
        public PqModel WithPreprocessing(ImagePreprocessing preprocessing)
        {
            ArgumentNullException.ThrowIfNull(preprocessing);
            return model.WithMetadata([preprocessing.ToMetadata()]);
        }

        /// <summary>Compresses the network by product quantization. This model stays as it is, to be compared with.</summary>
        /// <param name="images">A folder, a .zip archive or a .csv list of pictures; a few hundred are enough. Labels are read only where the options learn from them.</param>
        /// <param name="options">What to do; null for the defaults.</param>
        /// <param name="progress">Told of every layer.</param>
        /// <param name="cancellationToken">Stops at the next step.</param>
        /// <exception cref="InvalidImageException">A picture cannot be decoded; the message names it.</exception>
        /// <exception cref="InvalidDataException">There is no picture, or a label that is needed is missing or unknown.</exception>
        /// <exception cref="ArgumentException">An option cannot be met.</exception>
        /// <exception cref="InvalidModelException">The model cannot be run on the pictures.</exception>
        /// <exception cref="IOException">A file cannot be read.</exception>
        /// <exception cref="OperationCanceledException">The work was cancelled.</exception>
        public PqModel Compress(
            string images, CompressionOptions? options = null, IProgress<CompressionProgress>? progress = null, CancellationToken cancellationToken = default)
        {
            options ??= new();
            using ImageSource source = ImageSource.Open(images, cancellationToken);
            ImageSource numbered = options.Distillation?.Source == DistillationSource.Labels ? model.Numbered(source) : source;
            var samples = new ImageSampleSource(numbered.Sample(source.Count, options.Seed), model.Preprocessing.Preprocessing, new() { Threads = options.Threads });
            return model.Compress(samples, options, progress, cancellationToken);
        }

        /// <summary>The likeliest classes of a picture, best first.</summary>
        /// <param name="imageFile">The file.</param>
        /// <param name="top">How many classes are wanted; all of them where there are fewer.</param>
        /// <exception cref="InvalidImageException">It cannot be decoded; the message names it.</exception>
        /// <exception cref="InvalidModelException">The model cannot be run on the picture.</exception>
        /// <exception cref="IOException">The file cannot be read.</exception>
        public IReadOnlyList<ClassPrediction> Predict(string imageFile, int top = 5)
        {
            try
            {
                return model.Predict(File.ReadAllBytes(imageFile), top);
            }
            catch (InvalidImageException e)
            {
                throw new InvalidImageException(e.Fault, $"'{imageFile}': {e.Message}", e);
            }
        }

        /// <summary>The likeliest classes of a picture, best first.</summary>
        /// <param name="image">The whole encoded picture.</param>
        /// <param name="top">How many classes are wanted; all of them where there are fewer.</param>
        /// <exception cref="InvalidImageException">It cannot be decoded.</exception>
        /// <exception cref="InvalidModelException">The model cannot be run on the picture.</exception>
        public IReadOnlyList<ClassPrediction> Predict(byte[] image, int top = 5)
        {
            ImagePreprocessing preprocessing = model.Preprocessing.Preprocessing;
            var pixels = new float[preprocessing.Length];
            preprocessing.Apply(ImageDecoder.Decode(image), pixels);
            return model.Predict(pixels, top, new TensorShape(preprocessing.Channels, preprocessing.Height, preprocessing.Width));
        }

        /// <summary>Scores many pictures: accuracy where they have labels, agreement with a teacher where there is one.</summary>
        /// <param name="images">A folder, a .zip archive or a .csv list. Class folders, or the list's second column, give the labels.</param>
        /// <param name="teacher">The model to compare with, or null.</param>
        /// <param name="cancellationToken">Ends the evaluation between batches.</param>
        /// <exception cref="InvalidImageException">A picture cannot be decoded; the message names it.</exception>
        /// <exception cref="InvalidDataException">There is no picture, or a label is none of the model's classes.</exception>
        /// <exception cref="InvalidModelException">The two models have different classes, or a score is not finite.</exception>
        /// <exception cref="IOException">A file cannot be read.</exception>
        /// <exception cref="OperationCanceledException">The evaluation was cancelled.</exception>
        public EvaluationReport Evaluate(string images, PqModel? teacher = null, CancellationToken cancellationToken = default)
        {
            using ImageSource source = ImageSource.Open(images, cancellationToken);
            return model.Evaluate(new ImageSampleSource(model.Numbered(source), model.Preprocessing.Preprocessing), teacher, cancellationToken);
        }

        /// <summary>Classes numbered as the model names them, where both have names.</summary>
        private ImageSource Numbered(ImageSource source) =>
            source.WithClassesOf(model.ClassNames.Count > 0 ? model.ClassNames : null, model.Graph.Outputs[0].Shape is { Rank: 2 } scores && scores[1] > 0 ? scores[1] : null);
    }
}
