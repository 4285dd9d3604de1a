using MLNet.PQCompression.Detectors;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;

namespace MLNet.PQCompression.Images;

/// <summary>What a <see cref="Detector"/> does with pictures.</summary>
public static class DetectorPictures
{
    extension(Detector detector)
    {
        /// <summary>Opens a detector for pictures.</summary>
        /// <param name="model">The network.</param>
        /// <param name="preprocessing">How pictures become its input.</param>
        /// <param name="profile">What its outputs mean; null finds out.</param>
        /// <param name="options">Which detections are kept; null for the defaults.</param>
        /// <param name="inference">How to run; null for the defaults.</param>
        /// <exception cref="InvalidModelException">No profile fits, or not the one that was given; or the network cannot be run.</exception>
        public static Detector Open(
            ModelGraph model, ImagePreprocessing preprocessing, DetectionProfile? profile = null, DetectionOptions? options = null, InferenceOptions? inference = null)
        {
            ArgumentNullException.ThrowIfNull(preprocessing);
            return new(model, new(preprocessing.Channels, preprocessing.Height, preprocessing.Width), profile, options, inference);
        }

        /// <summary>Finds the objects in a picture.</summary>
        /// <param name="picture">The picture, upright.</param>
        /// <param name="preprocessing">How it becomes the network's input.</param>
        /// <returns>The detections, the surest first, in pixels of the picture.</returns>
        /// <exception cref="InvalidModelException">The outputs are not those of the profile.</exception>
        public IReadOnlyList<Detection> Detect(RgbImage picture, ImagePreprocessing preprocessing)
        {
            ArgumentNullException.ThrowIfNull(picture);
            ArgumentNullException.ThrowIfNull(preprocessing);
            var input = new float[preprocessing.Length];
            preprocessing.Apply(picture, input);
            return detector.Detect(input, preprocessing.Place(picture.Width, picture.Height));
        }
    }
}
